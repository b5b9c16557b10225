import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** A heap of more bytes is the user's business: collecting it would take noticeable time. */
const smallHeap = 256 << 20;
/** Cells after which garbage is collected. */
const cellsBetween = 250;

/**
 * What a thread of the kernel calls after each cell: V8 alone lets a small heap grow for thousands of cells. It collects
 * after every 250 cells while the heap is small, the cells' in 15 ms, the compiler's in 100.
 */
export function collectorOfGarbage(): () => void {
  // V8's own function; the flag that shows it holds for contexts that are made meanwhile, not for the user's.
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  let cells = 0;
  return () => {
    if (++cells % cellsBetween !== 0 || getHeapStatistics().used_heap_size > smallHeap) return;
    collect();
  };
}
