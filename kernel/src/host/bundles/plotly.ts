import { inspect } from "node:util";
import type { MimeBundle } from "../host";
import { isTypedArray } from "./numbers";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** An object with plotly's `data` (an array of traces) and `layout` as that figure; null for others. */
export function plotlyBundle(value: object): MimeBundle | null {
  if (!("data" in value && "layout" in value)) return null;
  const { data, layout, config = {}, frames }: Record<string, unknown> = { config: undefined, ...value };
  if (!Array.isArray(data) || data.length === 0 || !isObject(layout)) return null;
  if (
    !data.every((trace) => isObject(trace) && ["type", "x", "y", "z", "values"].some((key) => key in trace))
  )
    return null;
  const figure = { data, layout, config, ...(frames === undefined ? {} : { frames }) };
  return {
    "application/vnd.plotly.v1+json": JSON.parse(JSON.stringify(figure, withPlainArrays)),
    "text/plain": inspect(value, { depth: 2 }),
  };
}

/** Typed arrays would become objects in JSON. */
const withPlainArrays = (_key: string, value: unknown): unknown =>
  isTypedArray(value) ? Array.from<unknown>(value) : value;
