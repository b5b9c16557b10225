import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { withShim } from "../faults/shim.mjs";

const [hour, day] = [3600, 86_400];
/** Seconds by which the clock is off, one after the other. */
const offsets = [-1, hour, -day, 0, day, -400 * day, 1, 4000 * day, -hour, 0];

/**
 * @param {string} folder
 * @returns {NodeJS.ProcessEnv} in which a process has a clock that can be set while it runs
 */
export function withClock(folder) {
  const file = join(folder, "clock");
  writeFileSync(file, "0");
  return { ...withShim(folder, join(import.meta.dirname, "clock.c")), LUTNN_CLOCK: file };
}

let set = 0;
/**
 * Sets that clock to the next of a list of times, to and fro.
 * @param {string} [file] LUTNN_CLOCK
 */
export function setClock(file = process.env.LUTNN_CLOCK) {
  writeFileSync(file, String(offsets[set++ % offsets.length]));
}
