import { inspect } from "node:util";
import { displaySymbol, type MimeBundle } from "../host/host";

/** How a value shows itself in a notebook. Its own display method may throw, or return a promise. */
export async function mimeBundle(value: unknown): Promise<MimeBundle> {
  if (value !== null && typeof value === "object") {
    const display: unknown = Reflect.get(value, displaySymbol);
    if (typeof display === "function") return display.call(value);
  }
  return { "text/plain": inspect(value) };
}
