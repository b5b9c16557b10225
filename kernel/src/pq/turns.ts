/** Milliseconds that a loop may hold the event loop before others get their turn. */
const turnMilliseconds = 20;

/** Lets other events through: timers, messages, interrupts; in Node.js and in a browser. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve);
  });
}

/**
 * Gives the event loop its turns during a long computation: call the function that is returned between pieces of work
 * that take some milliseconds, and wait for it. It throws the signal's reason once that is aborted.
 */
export function takingTurns(signal?: AbortSignal): () => Promise<void> {
  let since = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - since < turnMilliseconds) return;
    await nextTurn();
    since = performance.now();
    signal?.throwIfAborted();
  };
}
