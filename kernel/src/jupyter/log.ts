import { writeSync } from "node:fs";

/** Lines within a minute; a flood of messages must not become one of lines. */
const most = 20;
let lines = 0;
/** Where to, and what stands before each line. */
let [descriptor, prefix] = [2, ""];

/** From now on the log goes to the watcher (see descriptors.ts), who has the stderr that the kernel was started with. */
export function logToWatcher(watcher: number): void {
  [descriptor, prefix] = [watcher, "log "];
}

/** For whoever runs the Jupyter server: process.stderr itself goes to the notebook. */
export function log(text: string): void {
  if (lines === 0) setTimeout(() => (lines = 0), 60_000).unref();
  if (++lines > most) return;
  const rest = lines === most ? " (what follows in this minute is left out)" : "";
  const message = `lutnn kernel: ${text}${rest}`;
  try {
    writeSync(descriptor, `${message.replace(/^/gm, prefix)}\n`);
  } catch {
    // Nobody reads: there is no one left to tell.
  }
}

/** A defect of the kernel's: with its stack. */
export function logError(what: string, error: unknown): void {
  log(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
}
