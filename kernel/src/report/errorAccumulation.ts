// The report that crosses to the extension: plain JSON, imports nothing.

/** MIME type of {@link ErrorAccumulationReport}. */
export const ERROR_ACCUMULATION_MIME = "application/vnd.lutnn.error-accumulation+json";

/** The error of one layer's output against the dense network's output of the same layer. */
export interface OutputError {
  /** Σ‖y − ŷ‖² / Σ‖y − ȳ‖², y the dense output, ȳ its mean per output channel; 0 is exact. */
  relative: number;
  /**
   * 1 − R² after the best affine map per output channel from ŷ to y, weighted by the channels' variance: the part
   * that no scale or offset (a batch norm) can repair; between 0 and 1.
   */
  unexplained: number;
}

export interface LayerDescription {
  name: string;
  op: "conv1d" | "conv2d" | "dense";
  /** K, V and C of the replaced layer. */
  numCentroids: number;
  subvectorLength: number;
  numCodebooks: number;
}

/** One layer in one series; null where there is nothing to measure or it is not measured yet. */
export interface LayerErrors {
  state: "dense" | "replaced";
  /** Exact input, table lookups in this layer only. Null for a dense layer. */
  local: OutputError | null;
  /** Input from the converted network. */
  accumulated: OutputError | null;
  /** The task metric with the replaced layers up to and including this one in place, the rest dense. */
  metric: number | null;
}

/** One conversion of the network, for example "k-means" or "fine-tuned". */
export interface ErrorSeries {
  name: string;
  /** One entry per entry of `layers`, in network order. */
  errors: LayerErrors[];
  /** Task metric of the whole converted network. */
  metric: number | null;
  /** Mean divergence of the converted outputs from the dense ones, in the report's divergenceUnit. */
  divergence: number | null;
}

export interface ErrorAccumulationReport {
  version: 1;
  /** Snapshots of one measurement share it. */
  runId: string;
  /** Rises with every snapshot of a run; the largest is the newest. */
  sequence: number;
  /** False while layers are still being measured. */
  done: boolean;
  model: string;
  /** `metricSize`: examples that the metric converted up to a layer was measured on, where these were not all. */
  data: { name: string; size: number; metricSize?: number };
  /** What computed the lookups, as "native avx512"; missing in reports of older versions. */
  backend?: string;
  /** Of the series' divergence; missing in reports of older versions, where it was nats. */
  divergenceUnit?: string;
  /** The task metric; with unit "%" values go from 0 to 100. */
  metric: { name: string; unit: string; higherIsBetter: boolean; dense: number };
  /** In network order. */
  layers: LayerDescription[];
  series: ErrorSeries[];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;
const isNumberOrNull = (value: unknown): boolean => value === null || typeof value === "number";
const isErrorOrNull = (value: unknown): boolean =>
  value === null ||
  (isObject(value) && typeof value.relative === "number" && typeof value.unexplained === "number");

/** What is wrong with one entry of a series, or null. */
function faultOf(entry: unknown): string | null {
  if (!isObject(entry)) return "is not an object";
  if (entry.state !== "dense" && entry.state !== "replaced") return `has the state ${String(entry.state)}`;
  if (!isErrorOrNull(entry.local) || !isErrorOrNull(entry.accumulated))
    return "has an error that is not two numbers";
  return isNumberOrNull(entry.metric) ? null : "has a metric that is not a number";
}

/** Reads untrusted JSON: the report, or a sentence that says what is wrong with it. */
export function parseErrorAccumulation(data: unknown): ErrorAccumulationReport | string {
  if (!isObject(data)) return "the report is not a JSON object";
  if (data.version !== 1) return `report version ${String(data.version)} is not known (this reader knows 1)`;
  const { layers, series, metric } = data;
  if (!Array.isArray(layers) || !Array.isArray(series)) return "the report has no layers or series";
  if (!isObject(metric) || typeof metric.dense !== "number" || typeof metric.name !== "string")
    return "the report has no metric of the dense network";
  if (typeof data.runId !== "string" || typeof data.sequence !== "number" || typeof data.model !== "string")
    return "the report does not say which run and model it is of";
  if (!isObject(data.data) || typeof data.data.name !== "string")
    return "the report does not say on what data it was measured";
  if (data.data.metricSize !== undefined && typeof data.data.metricSize !== "number")
    return "the report's number of examples for the metric is not a number";
  if (data.backend !== undefined && typeof data.backend !== "string")
    return "the report's backend is not a text";
  if (data.divergenceUnit !== undefined && typeof data.divergenceUnit !== "string")
    return "the report's unit of divergence is not a text";
  for (const layer of layers)
    if (!isObject(layer) || typeof layer.name !== "string") return "a layer of the report has no name";
  for (const one of series) {
    if (!isObject(one) || typeof one.name !== "string") return "a series of the report has no name";
    if (!Array.isArray(one.errors) || one.errors.length !== layers.length)
      return `the series ${one.name} does not have one entry per layer`;
    if (!isNumberOrNull(one.metric) || !isNumberOrNull(one.divergence))
      return `the series ${one.name} has a metric that is not a number`;
    for (const [i, entry] of one.errors.entries()) {
      const fault = faultOf(entry);
      if (fault) return `entry ${i} of the series ${one.name} ${fault}`;
    }
  }
  return data as object as ErrorAccumulationReport;
}
