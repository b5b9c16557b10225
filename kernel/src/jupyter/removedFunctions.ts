import util from "node:util";

/** Node 23 removed functions of `util` that tfjs-node 4.22 calls: puts those back that are missing. */
export function restoreRemovedFunctions(): void {
  const removed: Record<string, (value: unknown) => boolean> = {
    isArray: Array.isArray,
    isNullOrUndefined: (value) => value === null || value === undefined,
  };
  for (const [name, value] of Object.entries(removed))
    if (!(name in util)) Object.defineProperty(util, name, { value, configurable: true, writable: true });
}
