import { writeSync } from "node:fs";

/** Lines within a minute; a flood of messages must not become one of lines. */
const most = 20;
let lines = 0;

/** For whoever runs the Jupyter server: process.stderr itself goes to the notebook. */
export function log(text: string): void {
  if (lines === 0) setTimeout(() => (lines = 0), 60_000).unref();
  if (++lines > most) return;
  try {
    writeSync(
      2,
      `lutnn kernel: ${text}${lines === most ? " (what follows in this minute is left out)" : ""}\n`,
    );
  } catch {
    // Nobody reads: there is no one left to tell.
  }
}
