import type { Conversion } from "./conversion";

type Listener = (conversion: Conversion) => void;
const listeners = new Set<Listener>();

/** Calls a listener with each conversion that is made or opened from now on. */
export function onConversion(listener: Listener): void {
  listeners.add(listener);
}

/** A conversion that the user has asked for is there. */
export function announceConversion(conversion: Conversion): void {
  for (const listener of listeners) listener(conversion);
}
