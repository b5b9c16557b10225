// Reads a report that comes from elsewhere. Imports zod's small form alone: the extension loads this file too.
import * as z from "zod/mini";
import type { ErrorAccumulationReport } from "./errorAccumulation";

const text = z.string("must be a text");
const number = z.number("must be a number");
const truth = z.boolean("must be true or false");
const object = <Shape extends z.core.$ZodShape>(shape: Shape) => z.object(shape, "must be an object");
const list = <Item extends z.ZodMiniType>(item: Item) => z.array(item, "must be a list");
const oneOf = <const Names extends readonly string[]>(names: Names) =>
  z.enum(names, `must be one of ${names.join(", ")}`);

const outputError = z.nullable(object({ relative: number, unexplained: number }));

/** Each field as {@link ErrorAccumulationReport} has it; what else is there is let be. */
const report: z.ZodMiniType<ErrorAccumulationReport> = object({
  version: z.literal(1),
  runId: text,
  sequence: number,
  done: truth,
  model: text,
  data: object({ name: text, size: number, metricSize: z.optional(number) }),
  backend: z.optional(text),
  divergenceUnit: z.optional(text),
  metric: object({ name: text, unit: text, higherIsBetter: truth, dense: number }),
  layers: list(
    object({
      name: text,
      op: oneOf(["conv1d", "conv2d", "dense"]),
      numCentroids: number,
      subvectorLength: number,
      numCodebooks: number,
    }),
  ),
  series: list(
    object({
      name: text,
      errors: list(
        object({
          state: oneOf(["dense", "replaced"]),
          local: outputError,
          accumulated: outputError,
          metric: z.nullable(number),
        }),
      ),
      metric: z.nullable(number),
      divergence: z.nullable(number),
    }),
  ),
});

/** ["series", 0, "name"] → "series[0].name" */
const placeOf = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (place, key) =>
      typeof key === "number" ? `${place}[${key}]` : place ? `${place}.${String(key)}` : String(key),
    "",
  );

function shortJson(value: unknown): string {
  const json = JSON.stringify(value) ?? "nothing";
  return json.length > 40 ? `${json.slice(0, 39)}…` : json;
}

/** Reads untrusted JSON: the report as it was given, or a sentence that says what is wrong with it. */
export function parseErrorAccumulation(data: unknown): ErrorAccumulationReport | string {
  if (typeof data !== "object" || data === null || Array.isArray(data))
    return `the report must be a JSON object (got ${shortJson(data)})`;
  const version: unknown = Reflect.get(data, "version");
  if (version !== 1)
    return `the report's version must be 1, which this reader knows (got ${shortJson(version)}); update the extension, or measure again`;
  const read = report.safeParse(data);
  if (!read.success) {
    const [{ path, message }] = read.error.issues;
    const found = path.reduce<unknown>((value, key) => Reflect.get(Object(value), key), data);
    return `the report's ${placeOf(path)} ${message} (got ${shortJson(found)})`;
  }
  const { layers, series } = read.data;
  const uneven = series.find(({ errors }) => errors.length !== layers.length);
  if (uneven)
    return `the report's series ${uneven.name} must have one entry for each layer (got ${uneven.errors.length} for ${layers.length})`;
  return data as object as ErrorAccumulationReport;
}
