import { writeSync } from "node:fs";

/** For whoever runs the Jupyter server: process.stderr itself goes to the notebook. */
export function log(text: string): void {
  try {
    writeSync(2, `lutnn kernel: ${text}\n`);
  } catch {
    // Nobody reads: there is no one left to tell.
  }
}
