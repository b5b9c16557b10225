import { ChildProcess } from "node:child_process";
import { type OpenEnds, withEnds } from "./pipeFiles";
import type { SynchronousCalls } from "./synchronousCalls";

interface Spawning {
  spawn(options: { stdio?: unknown }): unknown;
}

type Run = <T>(work: () => T) => T;

/**
 * Child processes that would inherit this process's descriptors 1 and 2, or are given them, get others in their place.
 * @param run does what must not be stopped half-way
 */
export function giveOwnStdio(calls: SynchronousCalls | null, open: OpenEnds, run: Run): void {
  if (calls) {
    const plain = calls.spawn;
    calls.spawn = (options) =>
      run(() =>
        withOwn(
          open,
          options,
          (fd) => ({ type: "fd", fd }),
          (changed) => plain.call(calls, changed),
        ),
      );
  }
  const asynchronous: Spawning = ChildProcess.prototype as ChildProcess & Spawning;
  const plain = asynchronous.spawn;
  Object.assign(asynchronous, {
    spawn(this: ChildProcess, options: { stdio?: unknown }): unknown {
      const child = this as ChildProcess & Spawning;
      return run(() =>
        withOwn(
          open,
          options,
          (fd) => fd,
          (changed) => plain.call(child, changed),
        ),
      );
    },
  });
}

/** @param entryOf a descriptor as it stands in the list */
function withOwn<T>(
  open: OpenEnds,
  options: { stdio?: unknown },
  entryOf: (descriptor: number) => unknown,
  work: (options: { stdio?: unknown }) => T,
): T {
  const stdio = options?.stdio;
  const entries = stdio === "inherit" ? [0, 1, 2] : stdio;
  if (!Array.isArray(entries)) return work(options);
  const descriptors = entries.map(descriptorOf);
  if (!descriptors.some(isOurs)) return work(options);
  return withEnds(open, (ends) => {
    if (!ends) return work(options);
    const changed = entries.map((entry, index) => {
      const descriptor = descriptors[index];
      return isOurs(descriptor) ? entryOf(ends[descriptor - 1]) : entry;
    });
    return work({ ...options, stdio: changed });
  });
}

/** What a place in the list of a child's descriptors stands for in this process; undefined for something new. */
function descriptorOf(entry: unknown, index: number): unknown {
  if (entry === "inherit") return index;
  if (typeof entry === "number") return entry;
  return (entry as { fd?: unknown } | null | undefined)?.fd;
}

const isOurs = (descriptor: unknown): descriptor is 1 | 2 => descriptor === 1 || descriptor === 2;
