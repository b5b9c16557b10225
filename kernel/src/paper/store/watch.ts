// Runs in a thread of its own beside a cell's work, which may keep its own thread busy for seconds: touches the lease, so
// that others see that its holder lives, and ends the process when the lease is lost or the parent is gone.
import { utimesSync } from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/** What the thread is told. */
export interface WatchOrders {
  /** Path of the lease's marker. */
  lease: string;
  /** Between two touches. */
  everyMs: number;
  /** The process with which this one ends; null: none. */
  parent: number | null;
  /** After a loss, when the process is killed if it has not ended by itself; null: never. */
  killAfterMs: number | null;
}

/** What the thread tells, once. */
export type WatchMessage = "lost" | "orphaned";

/** How soon a parent's end is noticed. */
const parentEveryMs = 200;

function watch({ lease, everyMs, parent, killAfterMs }: WatchOrders): void {
  const stop = (message: WatchMessage) => {
    clearInterval(touching);
    clearInterval(looking);
    parentPort?.postMessage(message);
    if (killAfterMs !== null) setTimeout(() => process.kill(process.pid, "SIGKILL"), killAfterMs);
  };
  const touch = () => {
    const now = new Date();
    try {
      utimesSync(lease, now, now);
    } catch (error) {
      // Anything else than its absence may pass: a disk that does not answer for a moment.
      if ((error as NodeJS.ErrnoException).code === "ENOENT") stop("lost");
    }
  };
  const look = () => {
    if (parent !== null && process.ppid !== parent) stop("orphaned");
  };
  const touching = setInterval(touch, everyMs);
  const looking = setInterval(look, parentEveryMs);
  touch();
  look();
}

watch(workerData as WatchOrders);
