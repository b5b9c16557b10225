// What the panel and the kernel say to each other over the comm `lutnn.conversion`: plain JSON. A panel opens the comm;
// the kernel opens one itself when its first conversion is made, so that panels which came too early learn of it.
import type { ErrorAccumulationReport, OutputError } from "./errorAccumulation";

/** The comm's target. */
export const CONVERSION_COMM = "lutnn.conversion";

/** Snapshots go out at most this often. */
export const SNAPSHOTS_PER_SECOND = 20;

/** One conversion that the kernel has. */
export interface ConversionName {
  id: string;
  /** Name of its network. */
  model: string;
  /** The notebook's variable that holds it; null where none does. */
  variable: string | null;
}

export interface PanelData {
  /** The notebook's expression for it, as "train"; null where no variable holds it: then no cell can name it. */
  variable: string | null;
  name: string;
  size: number;
}

export interface PanelMetric {
  name: string;
  unit: string;
  higherIsBetter: boolean;
  /** On the validation data; null until measured. */
  dense: number | null;
  now: number | null;
}

/** A way in which lookups are learnt. */
export interface PanelMethod {
  /** As commands name it. */
  name: string;
  title: string;
  /** Whether layers by it can be fine-tuned. */
  trainable: boolean;
}

/** What a command takes unless it says otherwise: the profile's. */
export interface PanelDefaults {
  method: string;
  learningRate: number;
}

/** Operations, bytes, milliseconds for one input; null until measured. */
export interface PanelCost {
  operations: number;
  bytes: number;
  milliseconds: number | null;
}

export type PanelLayerState = "dense" | "calibrated" | "replaced" | "training";

/** One convertible layer, in network order. */
export interface PanelLayer {
  name: string;
  op: "conv1d" | "conv2d" | "dense";
  state: PanelLayerState;
  /** Title of the method that it is replaced by; null while dense. */
  method: string | null;
  /** N, D, M */
  positions: number;
  inputLength: number;
  outputs: number;
  inputShape: number[];
  outputShape: number[];
  /** K, V, C */
  numCentroids: number;
  subvectorLength: number;
  numCodebooks: number;
  /** What K and V may be changed to. */
  choices: { numCentroids: number[]; subvectorLengths: number[] };
  before: PanelCost;
  after: PanelCost;
}

/** What was measured of one layer, and in which state; null where it was not, and for layers that are not calibrated. */
export interface LayerMeasures {
  layer: string;
  /** Number of the state that the metrics are of; another one than the present makes them stale. Null where there are none. */
  state: number | null;
  /** Metric of the dense network with this layer alone replaced. */
  onlyThis: number | null;
  /** Metric with every calibrated layer but this one replaced. */
  allButThis: number | null;
  /** The same of the errors, which are measured by themselves. */
  errorsState: number | null;
  local: OutputError | null;
  accumulated: OutputError | null;
}

export interface PanelState {
  id: number;
  label: string;
  parent: number | null;
  replaced: number;
  tuned: boolean;
  /** On the validation data, where it was measured. */
  metric: number | null;
  /** The line of TypeScript that makes it from its parent; null where none can, for the reason that `unwritten` says. */
  code: string | null;
  unwritten: string | null;
}

export interface PanelCommandStatus {
  id: number;
  name: string;
  state: "waiting" | "running";
  progress: { done: number; total: number; unit: string; etaSeconds: number | null; text: string } | null;
}

/** One figure of a training run per epoch or step, in the order in which they came. */
export interface TrainingCurve {
  /** What it belongs to: name of the command. */
  command: string;
  points: { epoch: number; loss: number; metric: number | null }[];
  done: boolean;
}

export interface PlanCurve {
  cost: "flops" | "bytes" | "latency";
  /** From dense to cheapest. */
  points: { cost: number; harm: number; measuredDrop: number | null; replaced: number }[];
  divergenceUnit: string;
  /**
   * Where the present state stands: its cost (null where the plan has not timed its sizes), and the number of the point with
   * the same choices.
   */
  now: { cost: number | null; point: number | null };
}

/** Sections of a snapshot. A section that is there replaces the one before, but for `measures`, whose layers do. */
export interface ConversionSections {
  overview: {
    model: string;
    task: string;
    profile: string;
    /** Null as long as the network's end leaves open what it is for, and no data have told. */
    metric: PanelMetric | null;
    /** From which commands calibrate and train, and on which they measure; null until the notebook has said. */
    train: PanelData | null;
    validation: PanelData | null;
    remarks: string[];
    methods: PanelMethod[];
    defaults: PanelDefaults;
    /** Whole network, dense, as it is now, and with all layers replaced. */
    cost: { dense: PanelCost; now: PanelCost; all: PanelCost };
  };
  layers: PanelLayer[];
  measures: LayerMeasures[];
  history: { states: PanelState[]; current: number; undo: boolean; redo: boolean };
  commands: PanelCommandStatus[];
  training: TrainingCurve | null;
  /** One series per snapshot or method. */
  errors: ErrorAccumulationReport | null;
  plan: PlanCurve | null;
}

/** What is inside one layer. */
export interface LayerDetail {
  layer: string;
  state: number;
  /** Per codebook C: how often each of the K centroids was used, and the relative squared error of its sub-vectors. */
  codebooks: { counts: number[]; error: number }[];
  /** Histogram of the layer's inputs, and where the centroids' values lie. */
  inputs: { edges: number[]; counts: number[] };
  centroidValues: number[];
  rows: number;
}

/** One layer in a state that is compared with another. */
export interface ComparedLayer {
  /** How it is computed: "dense" or "k-means, trained". */
  is: string;
  /** As {@link LayerMeasures} has them; null where they were not measured in this state. */
  onlyThis: number | null;
  allButThis: number | null;
}

/** Difference of two states, layer by layer. */
export interface StateComparison {
  a: number;
  b: number;
  layers: {
    name: string;
    a: ComparedLayer;
    b: ComparedLayer;
    /** Relative change of its numbers, ‖a − b‖ / ‖a‖; null where not comparable. */
    moved: number | null;
  }[];
}

/** What the panel asks for. Layers are named; states are numbers. */
export type PanelCommand =
  | { verb: "calibrate"; method: string; layers?: string[] }
  | { verb: "replace"; layers: string[] }
  | { verb: "restore"; layers: string[] }
  | { verb: "replaceUpTo"; layer: string }
  | { verb: "resize"; layer: string; numCentroids: number; subvectorLength: number }
  | { verb: "fineTune"; epochs: number; learningRate?: number }
  | { verb: "measure"; what: "metric" | "layers" | "errors" | "times" }
  | { verb: "plan"; cost: PlanCurve["cost"] }
  | { verb: "applyPlan"; point: number }
  | { verb: "undo" }
  | { verb: "redo" }
  | { verb: "goTo"; state: number }
  | { verb: "nameState"; state: number; label: string }
  /** As an ONNX file, with `reopen` the work beside it; `path` is seen from the notebook's folder. */
  | { verb: "save"; path: string; remainder: "float32" | "int8"; reopen: boolean; overwrite: boolean };

/** Answered by a result of the same name. */
export type PanelQuestion =
  | { about: "layer"; layer: string }
  | { about: "comparison"; a: number; b: number }
  /** TypeScript that leads from a fresh conversion to a state. */
  | { about: "cell"; state: number };

export type PanelMessage =
  | { type: "watch"; conversion: string | null }
  | { type: "command"; request: number; conversion: string; command: PanelCommand }
  | { type: "cancel"; conversion: string; command: number }
  | { type: "question"; request: number; conversion: string; question: PanelQuestion };

export type KernelMessage =
  /** `asked` is the id of the one that the notebook asked last to be shown, by `lutnn.panel`; null where it asked for none. */
  | { type: "conversions"; version: 1; conversions: ConversionName[]; asked: string | null }
  /** `whole` holds every section, as the answer to "watch"; others those that changed. */
  | {
      type: "snapshot";
      conversion: string;
      sequence: number;
      whole: boolean;
      sections: Partial<ConversionSections>;
    }
  | { type: "done"; request: number; text: string; warnings: string[] }
  | { type: "failed"; request: number; error: string }
  /** A message that could not be read, where it is not known whose request it was. */
  | { type: "refused"; error: string }
  | { type: "layer"; request: number; detail: LayerDetail }
  | { type: "comparison"; request: number; comparison: StateComparison }
  | { type: "cell"; request: number; code: string };
