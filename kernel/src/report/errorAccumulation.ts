// The report that crosses to the extension: plain JSON. readErrorAccumulation.ts reads one.

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
