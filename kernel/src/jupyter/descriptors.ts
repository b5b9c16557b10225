// File descriptors 0, 1 and 2 of the kernel's process, which child processes and native code know, lead to the notebook.
import { execFileSync, spawn } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Mark, memoryKills } from "./children";

export interface Descriptors {
  /** Where what is written to descriptors 1 and 2 comes out: reading never waits. */
  stdout: number;
  stderr: number;
  /** Takes lines for the watcher (see {@link watching}), {@link lineEnd} for an end of line in them; writing never waits. */
  watcher: number;
  watcherPid: number;
  /** Where further pipes are made; the watcher removes it when the kernel has ended. */
  folder: string;
}

/** Stands for an end of line in what the watcher is told. */
export const lineEnd = "\u001f";

/**
 * A shell that outlives the kernel's process, in 1 MB: it has the stderr that the kernel was started with and writes the
 * kernel's log there. Once the kernel has ended without saying "bye", it becomes lastWords.js.
 */
const watching = `
folder=$1 cell= words=
shift
while IFS= read -r line; do
  case $line in
    "log "*) printf '%s\\n' "\${line#log }" >&2 ;;
    "cell "*) cell=\${line#cell } ;;
    "words "*) words=\${line#words } ;;
    bye) rm -rf "$folder"; exit 0 ;;
  esac
done
rm -rf "$folder"
LUTNN_LAST_CELL=$cell LUTNN_LAST_WORDS=$words exec "$@" < /dev/null
`;

/**
 * Redirects descriptors 1 and 2 into pipes and 0 to an empty file, and starts the watcher. Called once, before anything
 * else of this process opens files. Null where the system has no such pipes (Windows): then nothing changes.
 */
export function redirectDescriptors(
  connectionFile: string,
  mark: Mark,
  heapLimit: number,
): Descriptors | null {
  if (process.platform === "win32") return null;
  // Made for the descriptors as they still are: Node would make those of pipes such that children cannot wait for them.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  const folder = mkdtempSync(join(tmpdir(), "lutnn-kernel-"));
  try {
    const [out, err, lines] = ["out", "err", "lines"].map((name) => join(folder, name));
    makePipes([out, err, lines]);
    const { O_RDONLY, O_WRONLY, O_NONBLOCK } = constants;
    const [stdout, stderr, watched] = [out, err, lines].map((path) => openSync(path, O_RDONLY | O_NONBLOCK));
    const watcher = openSync(lines, O_WRONLY | O_NONBLOCK);
    // A cell that closes a descriptor does not close the pipe.
    for (const path of [out, err]) openSync(path, "w");
    const lastWords = join(__dirname, "wire", "lastWords.js");
    const facts = [connectionFile, mark.pid, mark.text, memoryKills(), heapLimit].map(String);
    const followed = [process.execPath, lastWords, ...facts];
    const shell = spawn("sh", ["-c", watching, "lutnn-watcher", folder, ...followed], {
      stdio: [watched, "ignore", 2, stderr, stdout],
      detached: true,
    });
    shell.on("error", () => {});
    shell.unref();
    closeSync(watched);
    replace(0, "/dev/null", "r");
    replace(1, out, "w");
    replace(2, err, "w");
    return { stdout, stderr, watcher, watcherPid: shell.pid ?? 0, folder };
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    writeSync(2, `lutnn kernel: what child processes write stays in this log (${String(error)})\n`);
    return null;
  }
}

const runNow = execFileSync;

/** Makes named pipes, which only this user can open. */
export function makePipes(paths: readonly string[]): void {
  runNow("mkfifo", ["-m", "600", ...paths], { stdio: "ignore" });
}

/** The lowest free number is that of the next file which is opened. */
function replace(descriptor: number, path: string, flags: string): void {
  closeSync(descriptor);
  if (openSync(path, flags) !== descriptor)
    throw new Error(`descriptor ${descriptor} was taken by something else`);
}
