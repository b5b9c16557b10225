// Opening and closing pipes by their files; also in threads that cells start.
import fs from "node:fs";

// Copies, since a cell may put something else in their place.
const { closeSync, openSync } = fs;

/** Ends for writing, of stdout and stderr. */
export type Ends = readonly [stdout: number, stderr: number];
/** Opens ends for writing in the place of descriptors 1 and 2; null where these are to be used. */
export type OpenEnds = () => Ends | null;

/** Opens both, or none. */
export function openBoth(paths: readonly string[], flags: number | string): Ends {
  const stdout = openSync(paths[0], flags);
  try {
    return [stdout, openSync(paths[1], flags)];
  } catch (error) {
    closeSync(stdout);
    throw error;
  }
}

export const closeBoth = ([stdout, stderr]: Ends): void => {
  closeSync(stdout);
  closeSync(stderr);
};

/** Runs work with ends that are closed afterwards. */
export function withEnds<T>(open: OpenEnds, work: (ends: Ends | null) => T): T {
  const ends = open();
  try {
    return work(ends);
  } finally {
    if (ends) closeBoth(ends);
  }
}
