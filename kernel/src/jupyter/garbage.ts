import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** A heap of more bytes is the user's business: collecting it would take noticeable time. */
const smallHeap = 256 << 20;
const callsBetween = 100;

/** Called once, before the kernel's threads start: flags belong to the whole process. */
export const exposeCollector = (): void => setFlagsFromString("--expose-gc");

/**
 * What each thread of the kernel calls once or twice a cell: V8 alone lets a small heap grow for thousands of cells. Every
 * 100th call collects while the heap is small, the cells' own in 15 ms, the compiler's in 100.
 */
export function collectorOfGarbage(): () => void {
  // V8's own function: contexts that are made after exposeCollector have it, not the user's.
  const collect: () => void = runInNewContext("gc");
  let calls = 0;
  return () => {
    if (++calls % callsBetween !== 0 || getHeapStatistics().used_heap_size > smallHeap) return;
    collect();
  };
}
