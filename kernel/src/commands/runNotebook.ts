import { spawn } from "node:child_process";
import { basename, join, relative, resolve } from "node:path";
import { createInterface } from "node:readline";
import { stripVTControlCharacters } from "node:util";
import { requireVenvProgram } from "../host/checkout";
import { formatSeconds } from "../host/progress";
import { jupyterPlaces } from "./jupyterPlaces";
import { requireNotebook } from "./notebookFile";
import { UsageError } from "./usageError";

type NotebookEvent =
  | { event: "refused"; reason: string }
  | { event: "start"; cells: number }
  | { event: "cell"; index: number; title: string }
  | { event: "progress"; text: string }
  | { event: "done"; index: number; seconds: number }
  | { event: "error"; index: number; source: string; ename: string; evalue: string; traceback: string }
  | { event: "written"; paths: string[]; summary: string };

const shorten = (text: string, length: number): string =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

/**
 * Executes a notebook headless through its kernel, with progress in the terminal; the executed notebook and an HTML page
 * of it go to `output`. Ends with the text of the notebook's last output. Returns the exit status: 1 when a cell failed.
 * Throws UsageError when there is no such notebook or kernel.
 */
export async function runNotebook(
  notebook: string,
  options: { output: string; kernel: string },
): Promise<number> {
  const path = requireNotebook("run", notebook);
  const out = resolve(options.output);
  if (join(out, basename(path)) === path)
    throw new UsageError(
      `run: the executed notebook must not overwrite the notebook itself (got --output ${options.output}); name another folder`,
    );
  const script = join(__dirname, "../../python/run_notebook.py");
  const translator = [process.execPath, join(__dirname, "texToMathml.js")];
  const child = spawn(requireVenvProgram("python"), [script, path, out, options.kernel, ...translator], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, ...jupyterPlaces() },
  });
  const ended = new Promise<number>((done, failed) => {
    child.on("error", failed);
    child.on("close", (code, signal) => done(code ?? (signal ? 130 : 1)));
  });
  let problems = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    problems += text;
  });
  const screen = new Screen();
  const start = performance.now();
  let cells = 0;
  let failed = false;
  let refused: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line) as NotebookEvent;
    if (event.event === "refused") refused = event.reason;
    else if (event.event === "start") {
      cells = event.cells;
      screen.line(`Running ${relative(process.cwd(), path) || path} (${cells} cells)`);
    } else if (event.event === "cell") {
      screen.begin(`[${String(event.index + 1).padStart(2)}/${cells}] ${shorten(event.title, 84)}`);
    } else if (event.event === "progress") screen.progress(event.text);
    else if (event.event === "done") screen.end(formatSeconds(event.seconds));
    else if (event.event === "error") {
      failed = true;
      screen.end("failed");
      screen.line(
        `\nThis cell failed:\n\n${indent(event.source)}\n\n${event.traceback || `${event.ename}: ${event.evalue}`}\n`,
      );
    } else {
      if (!failed && event.summary) screen.line(`\n${event.summary}\n`);
      const names = event.paths.map((written) => relative(process.cwd(), written) || written);
      screen.line(
        `Written: ${names.join(", ")} (${formatSeconds((performance.now() - start) / 1000)} in all)`,
      );
    }
  }
  const status = await ended;
  if (refused !== undefined) throw new UsageError(`run: ${refused}`);
  if (status !== 0 && !failed)
    throw new Error(`run: the notebook runner ended with status ${status}\n${problems}`);
  return status;
}

const indent = (text: string): string => text.replace(/^/gm, "    ");

/** One line per cell; on a terminal the running cell's line shows its progress. */
class Screen {
  private current = "";
  private readonly live = process.stdout.isTTY === true;

  /** Tracebacks come with colours, which only a terminal shows. */
  line(text: string): void {
    process.stdout.write(`${this.live ? text : stripVTControlCharacters(text)}\n`);
  }

  begin(text: string): void {
    this.current = text;
    if (this.live) process.stdout.write(text);
  }

  progress(text: string): void {
    if (!this.live) return;
    const width = process.stdout.columns ?? 80;
    process.stdout.write(`\r\x1b[2K${shorten(`      ${text}`, width - 1)}`);
  }

  end(text: string): void {
    process.stdout.write(`${this.live ? "\r\x1b[2K" : ""}${this.current}  ${text}\n`);
  }
}
