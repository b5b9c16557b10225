import { createHash } from "node:crypto";
import { LutnnError } from "../errors";

/**
 * The one JSON text of a value: keys in order, no spaces, so that equal values have equal texts. Members that are undefined
 * are left out, as JSON does. Throws LutnnError on what JSON would change without a word: NaN, infinities, functions.
 */
export function canonicalJson(value: unknown, what = "cell"): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((one) => canonicalJson(one, what)).join(",")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value)
      .filter(([, one]) => one !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${canonicalJson(one, what)}`).join(",")}}`;
  }
  throw new LutnnError(
    `${what}: parameters must be texts, finite numbers, booleans, null, lists and objects of these (got ${String(value)}); write it as one of them`,
  );
}

/** The first 128 bits of SHA-256 over all parameters, as 32 hexadecimal digits: a cell's key. */
export const keyOf = (parameters: unknown): string =>
  createHash("sha256").update(canonicalJson(parameters)).digest("hex").slice(0, 32);
