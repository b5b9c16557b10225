import { inspect, types } from "node:util";
import { LutnnError } from "../errors";
import { imageBundle } from "./bundles/image";
import { isTensor, isTypedArray, tensorBundle, typedArrayBundle } from "./bundles/numbers";
import { plotlyBundle } from "./bundles/plotly";
import { mapBundle, recordsBundle } from "./bundles/table";
import { displaySymbol, type MimeBundle } from "./host";

/**
 * How a value shows itself in a notebook: by its own method of the name Symbol.for("Jupyter.display"), which may be
 * asynchronous; else as a picture, tensor, table or figure if it is one; else as text.
 * Throws what the value's own method throws.
 */
export function mimeBundle(value: unknown): MimeBundle | Promise<MimeBundle> {
  if ((typeof value === "object" && value !== null) || typeof value === "function") {
    const display: unknown = Reflect.get(value, displaySymbol);
    if (typeof display === "function") {
      const bundle: unknown = display.call(value);
      return types.isPromise(bundle) ? bundle.then(checked) : checked(bundle);
    }
    return (typeof value === "object" && specialBundle(value)) || { "text/plain": inspect(value) };
  }
  return { "text/plain": inspect(value) };
}

function checked(bundle: unknown): MimeBundle {
  if (typeof bundle === "object" && bundle !== null && !Array.isArray(bundle)) return bundle as MimeBundle;
  throw new LutnnError(
    `Jupyter.display: the method must return an object of MIME types (got ${inspect(bundle)}); return for example { "text/plain": "…" }`,
  );
}

function specialBundle(value: object): MimeBundle | null {
  if (value instanceof Uint8Array) return imageBundle(value) ?? typedArrayBundle(value);
  if (isTypedArray(value)) return typedArrayBundle(value);
  if (Array.isArray(value)) return recordsBundle(value);
  if (value instanceof Map) return mapBundle(value);
  if (types.isPromise(value)) return promiseBundle(value);
  if (types.isProxy(value)) return null;
  return isTensor(value) ? tensorBundle(value) : plotlyBundle(value);
}

function promiseBundle(value: Promise<unknown>): MimeBundle {
  const text = inspect(value);
  return { "text/plain": text.includes("<pending>") ? `${text} – await it to see its value` : text };
}
