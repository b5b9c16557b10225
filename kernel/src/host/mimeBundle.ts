import { inspect, types } from "node:util";
import { LutnnError } from "../errors";
import { imageBundle } from "./bundles/image";
import { networkBundle } from "./bundles/network";
import { isTensor, isTypedArray, tensorBundle, typedArrayBundle } from "./bundles/numbers";
import { plotlyBundle } from "./bundles/plotly";
import { mapBundle, recordsBundle } from "./bundles/table";
import { displaySymbol, type MimeBundle } from "./host";
import { attempt, inspectValue } from "./inspectValue";

/**
 * How a value shows itself in a notebook: by its own method of the name Symbol.for("Jupyter.display"), which may be
 * asynchronous; else as a picture, tensor, table or figure if it is one; else as text.
 * Never throws nor rejects: where the value's own method fails, or gives what cannot be sent, the text says so.
 */
export function mimeBundle(value: unknown): MimeBundle | Promise<MimeBundle> {
  try {
    const own = ownBundle(value);
    if (types.isPromise(own)) return own.then(checked).catch((error) => withoutMethod(value, error));
    return own === undefined ? builtInBundle(value) : checked(own);
  } catch (error) {
    return withoutMethod(value, error);
  }
}

/** What the value's own method returns; undefined where it has none. */
function ownBundle(value: unknown): unknown {
  if ((typeof value !== "object" || value === null) && typeof value !== "function") return undefined;
  // A proxy that was revoked, or is there to refuse, has no method.
  const method = types.isProxy(value)
    ? attempt(() => Reflect.get(value, displaySymbol), undefined)
    : Reflect.get(value, displaySymbol);
  return typeof method === "function" ? (Reflect.apply(method, value, []) ?? null) : undefined;
}

/** As what it is; where looking at it throws, as text. */
function builtInBundle(value: unknown): MimeBundle {
  const special =
    typeof value === "object" && value !== null ? attempt(() => specialBundle(value), null) : null;
  return special ?? { "text/plain": inspectValue(value) };
}

function withoutMethod(value: unknown, error: unknown): MimeBundle {
  const text = inspectValue(value, { customInspect: false });
  return { "text/plain": `${text}\n(its Symbol.for("Jupyter.display") failed: ${sentenceOf(error)})` };
}

const sentenceOf = (error: unknown): string =>
  types.isNativeError(error)
    ? attempt(() => String(error), "an error that cannot be shown")
    : inspectValue(error);

/** A bundle as it is sent: of JSON. */
function checked(bundle: unknown): MimeBundle {
  if (typeof bundle !== "object" || bundle === null || Array.isArray(bundle))
    throw new LutnnError(
      `Jupyter.display: the method must return an object of MIME types (got ${inspectValue(bundle)}); return for example { "text/plain": "…" }`,
    );
  return jsonOf(bundle);
}

/** A copy that has been through JSON. Throws LutnnError for what JSON cannot hold. */
function jsonOf(bundle: object): MimeBundle {
  let copy: unknown;
  try {
    copy = JSON.parse(JSON.stringify(bundle) ?? "null");
  } catch (error) {
    throw new LutnnError(
      `Jupyter.display: what the method returns must be JSON (${sentenceOf(error)}); turn BigInts into strings and leave out cycles`,
    );
  }
  if (typeof copy === "object" && copy !== null && !Array.isArray(copy)) return copy as MimeBundle;
  throw new LutnnError(
    `Jupyter.display: what the method returns must be an object of MIME types, also as JSON (got ${inspectValue(copy)})`,
  );
}

function specialBundle(value: object): MimeBundle | null {
  if (value instanceof Uint8Array) return imageBundle(value) ?? typedArrayBundle(value);
  if (isTypedArray(value)) return typedArrayBundle(value);
  if (types.isProxy(value)) return null;
  if (Array.isArray(value)) return recordsBundle(value);
  if (value instanceof Map) return mapBundle(value);
  if (types.isPromise(value)) return promiseBundle(value);
  return isTensor(value) ? tensorBundle(value) : (networkBundle(value) ?? plotlyBundle(value));
}

function promiseBundle(value: Promise<unknown>): MimeBundle {
  const text = inspectValue(value);
  const isPending = inspect(value, { depth: 0 }).includes("<pending>");
  return { "text/plain": isPending ? `${text} – await it to see its value` : text };
}
