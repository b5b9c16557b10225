import { spawn } from "node:child_process";
import { join } from "node:path";

/** What a cell that runs in a process of its own tells who started it, over Node.js' channel between them. */
export type CellMessage =
  | { kind: "progress"; share: number | null; line: string }
  | { kind: "waiting"; sentence: string };

/** How a cell's process ended: by itself, with what it last said to stderr, or by a signal. */
export type CellEnd = { kind: "exit"; code: number; said: string } | { kind: "signal"; signal: string };

const program = join(__dirname, "../../../bin/lutnn.js");
/** Characters of stderr that are kept. */
const mostSaid = 4000;

/**
 * Runs a cell in a process of its own, which ends with this one. An abort asks it to let the cell go with what it has done.
 * @param before words in front of the command
 */
export function runCellProcess(
  { spec, dir, before }: { spec: string; dir: string; before: readonly string[] },
  onMessage: (message: CellMessage) => void,
  signal: AbortSignal,
): Promise<CellEnd> {
  const words = [...before, process.execPath, program, "cell", "run", "--spec", spec, "--dir", dir];
  const child = spawn(words[0], words.slice(1), { stdio: ["ignore", "ignore", "pipe", "ipc"] });
  let said = "";
  child.stderr?.on("data", (part: Buffer) => {
    said = (said + part.toString("utf8")).slice(-mostSaid);
  });
  child.on("message", (message) => onMessage(message as CellMessage));
  const stop = () => child.kill("SIGTERM");
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, name) => {
      signal.removeEventListener("abort", stop);
      resolve(name ? { kind: "signal", signal: name } : { kind: "exit", code: code ?? 1, said });
    });
  });
}
