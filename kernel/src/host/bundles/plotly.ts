import type { MimeBundle } from "../host";
import { attempt, inspectValue } from "../inspectValue";
import { isTypedArray } from "./numbers";

/** Characters of a figure's JSON; a browser would not draw more. */
const largestFigure = 1 << 26;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * An object with plotly's `data` (an array of traces) and `layout` as that figure; null for others, and for figures that
 * are no JSON (BigInts, cycles) or too large.
 */
export function plotlyBundle(value: object): MimeBundle | null {
  if (!("data" in value && "layout" in value)) return null;
  const { data, layout, config = {}, frames }: Record<string, unknown> = { config: undefined, ...value };
  if (!Array.isArray(data) || data.length === 0 || !isObject(layout)) return null;
  if (
    !data.every((trace) => isObject(trace) && ["type", "x", "y", "z", "values"].some((key) => key in trace))
  )
    return null;
  const figure = { data, layout, config, ...(frames === undefined ? {} : { frames }) };
  const json = attempt(() => JSON.stringify(figure, withPlainArrays), "");
  if (json === "" || json.length > largestFigure) return null;
  return { "application/vnd.plotly.v1+json": JSON.parse(json), "text/plain": inspectValue(value) };
}

/** Typed arrays would become objects in JSON. */
const withPlainArrays = (_key: string, value: unknown): unknown =>
  isTypedArray(value) ? Array.from<unknown, unknown>(value, toNumber) : value;
const toNumber = (value: unknown) => (typeof value === "bigint" ? Number(value) : value);
