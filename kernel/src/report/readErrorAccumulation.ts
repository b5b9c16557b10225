// Reads a report that comes from elsewhere.
import type { ErrorAccumulationReport, OutputError } from "./errorAccumulation";
import {
  exactly,
  type Field,
  list,
  maybe,
  number,
  object,
  oneOf,
  optional,
  readFields,
  shortJson,
  text,
  truth,
} from "./jsonFields";

export const outputError: Field<OutputError | null> = maybe(
  object({ relative: number, unexplained: number }),
);

/** Each field as {@link ErrorAccumulationReport} has it; what else is there is let be. */
export const report: Field<ErrorAccumulationReport> = object({
  version: exactly(1),
  runId: text,
  sequence: number,
  done: truth,
  model: text,
  data: object({ name: text, size: number, metricSize: optional(number) }),
  backend: optional(text),
  divergenceUnit: optional(text),
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
          metric: maybe(number),
        }),
      ),
      metric: maybe(number),
      divergence: maybe(number),
    }),
  ),
});

/** Reads untrusted JSON: the report as it was given, or a sentence that says what is wrong with it. */
export function parseErrorAccumulation(data: unknown): ErrorAccumulationReport | string {
  if (typeof data !== "object" || data === null || Array.isArray(data))
    return `the report must be a JSON object (got ${shortJson(data)})`;
  const version: unknown = Reflect.get(data, "version");
  if (version !== 1)
    return `the report's version must be 1, which this reader knows (got ${shortJson(version)}); update the extension, or measure again`;
  const found = readFields("the report", report, data);
  if (typeof found === "string") return found;
  const { layers, series } = found.read;
  const uneven = series.find(({ errors }) => errors.length !== layers.length);
  if (uneven)
    return `the report's series ${uneven.name} must have one entry for each layer (got ${uneven.errors.length} for ${layers.length})`;
  return data as object as ErrorAccumulationReport;
}
