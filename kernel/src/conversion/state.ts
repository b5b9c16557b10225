import type { CalibrationMethod } from "./methods/index";
import type { LayerWeights, NamedArrays, StoredArray } from "./storedArray";

/** Moving statistics of a batch norm. */
export interface NormStatistics {
  readonly mean: StoredArray;
  readonly variance: StoredArray;
}

/** From what something was learnt: the data's name, how many examples it has, and the seed. */
export interface Origin {
  readonly data: string;
  readonly examples: number;
  readonly seed: number;
}

/** What a method has learnt of one layer, and what training made of it since. */
export interface Calibration {
  readonly arrays: NamedArrays;
  /** Missing where a version that did not note it has stored it. */
  readonly origin?: Origin;
  /** Statistics of the batch norms that the layer feeds, estimated with it in place; none when they stay as they were. */
  readonly norms: Readonly<Record<string, NormStatistics>>;
  readonly trained?: {
    readonly arrays: NamedArrays;
    /** All weights of those batch norms. */
    readonly norms: Readonly<Record<string, LayerWeights>>;
  };
}

/** K and V of a layer's lookup. */
export interface LookupSizes {
  readonly numCentroids: number;
  readonly subvectorLength: number;
}

/** One layer that can be replaced. */
export interface LayerEntry {
  /** Where they were changed since `convert` chose them. What was learnt is of these sizes. */
  readonly sizes?: LookupSizes;
  /** By method; each stays when another is learnt. */
  readonly calibrations: Readonly<Partial<Record<CalibrationMethod, Calibration>>>;
  /** By which the layer is replaced; null while it is dense. */
  readonly replacedBy: CalibrationMethod | null;
}

/**
 * All that a conversion is, beside its dense network: which method each layer has, what was learnt, and other weights
 * that differ from the dense network's. It never changes; each verb makes a new one, which shares what stayed the same.
 */
export interface ConversionState {
  /** In network order. */
  readonly layers: Readonly<Record<string, LayerEntry>>;
  /** All weights of layers that are not replaced and differ from the dense network's. */
  readonly weights: Readonly<Record<string, LayerWeights>>;
  /** Of the last calibration: what `replace` takes unless told. */
  readonly lastMethod: CalibrationMethod | null;
  /** Whether the network as it is was fine-tuned. */
  readonly tuned: boolean;
  /** Of the last fine-tuning. */
  readonly training?: Origin;
}

export function initialState(names: readonly string[]): ConversionState {
  const entry: LayerEntry = { calibrations: {}, replacedBy: null };
  return {
    layers: Object.fromEntries(names.map((name) => [name, entry])),
    weights: {},
    lastMethod: null,
    tuned: false,
  };
}

/** Names of the layers that are replaced, in network order. */
export const replacedLayers = ({ layers }: ConversionState): string[] =>
  Object.keys(layers).filter((name) => layers[name].replacedBy !== null);

/** What is in a replaced layer's place; null for a dense one. */
export function placedCalibration({ layers }: ConversionState, name: string): Calibration | null {
  const { replacedBy, calibrations } = layers[name];
  return (replacedBy && calibrations[replacedBy]) ?? null;
}

/** Every array that a state holds. */
export function arraysOf(state: ConversionState): StoredArray[] {
  const ofCalibration = ({ arrays, norms, trained }: Calibration): StoredArray[] => [
    ...Object.values(arrays),
    ...Object.values(norms).flatMap(({ mean, variance }) => [mean, variance]),
    ...(trained ? [...Object.values(trained.arrays), ...Object.values(trained.norms).flat()] : []),
  ];
  return [
    ...Object.values(state.weights).flat(),
    ...Object.values(state.layers).flatMap(({ calibrations }) =>
      Object.values(calibrations).flatMap(ofCalibration),
    ),
  ];
}
