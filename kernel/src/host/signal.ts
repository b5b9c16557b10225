import { currentHost } from "./host";

/**
 * The signal that a long computation watches: the caller's own and, in a notebook, the running cell's. Never aborts
 * outside a notebook when the caller gave none.
 */
export function cellSignal(own?: AbortSignal): AbortSignal {
  const signals = [own, currentHost()?.signal].filter(
    (signal): signal is AbortSignal => signal !== undefined,
  );
  if (signals.length === 0) return new AbortController().signal;
  return signals.length === 1 ? signals[0] : AbortSignal.any(signals);
}

/** Lets the event loop run (messages, interrupts), then throws the signal's reason when it was aborted. */
export async function yieldToEvents(signal: AbortSignal): Promise<void> {
  await new Promise(setImmediate);
  signal.throwIfAborted();
}
