// Output may be made faster than clients take it: the main thread then waits, so that what lies in between is bounded.
import { Slot, type ToWire } from "./link";

/** Characters and bytes that may be on their way from the main thread to the sockets. */
const window = 1 << 25;
/** What a message of one character takes on its way, about: many small ones would fill the memory otherwise. */
const perMessage = 512;
/** Between two looks; a waiting thread can be interrupted only while it looks. */
const lookMs = 50;

/** What a message counts for; those that cannot come in masses count for nothing. */
export function sizeOf(message: ToWire): number {
  if (typeof message === "string") return perMessage + message.length;
  if (message.kind !== "publish") return 0;
  const buffers = (message.buffers ?? []).reduce((sum, { byteLength }) => sum + byteLength, 0);
  return perMessage + message.content.length + buffers;
}

/** Main thread: waits until there is room for a message of this size, and takes it. */
export function reserve(shared: Int32Array, size: number): void {
  for (let taken = Atomics.load(shared, Slot.inFlight); taken > window; ) {
    Atomics.wait(shared, Slot.inFlight, taken, lookMs);
    taken = Atomics.load(shared, Slot.inFlight);
  }
  Atomics.add(shared, Slot.inFlight, size);
}

/** Wire thread: a message of this size has left. */
export function release(shared: Int32Array, size: number): void {
  Atomics.sub(shared, Slot.inFlight, size);
  Atomics.notify(shared, Slot.inFlight);
}
