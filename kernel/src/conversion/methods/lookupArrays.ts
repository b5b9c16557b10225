import type * as tf from "@tensorflow/tfjs-node";
import { LookupLayer, type LookupWeights } from "../../layers/lookupLayer";
import type { InputQuantization } from "../../pq/reference";
import { inputQuantizationOf } from "../fitLookup";
import type { Profile } from "../profile";
import { type NamedArrays, StoredArray } from "../storedArray";
import type { Target } from "../targets";

/** The arrays of a lookup layer as a conversion keeps them. */
export function storeLookup({ inverseTemperatureLogit, bias, input, ...arrays }: LookupWeights): NamedArrays {
  const flat = (values: Float32Array) => new StoredArray([values.length], values);
  return {
    ...Object.fromEntries(
      Object.entries(arrays)
        .filter((entry): entry is [string, Float32Array] => entry[1] !== undefined)
        .map(([name, values]) => [name, flat(values)]),
    ),
    ...(input ? { input: flat(Float32Array.of(input.scale, input.zeroPoint)) } : {}),
    ...(bias ? { bias: flat(bias) } : {}),
    inverseTemperatureLogit: flat(Float32Array.of(inverseTemperatureLogit)),
  };
}

function loadInput({ input }: NamedArrays): InputQuantization | undefined {
  if (!input) return undefined;
  const [scale, zeroPoint] = input.floats;
  return { scale, zeroPoint };
}

function loadLookup(arrays: NamedArrays): LookupWeights {
  return {
    centroids: arrays.centroids.floats,
    weight: arrays.weight?.floats,
    table: arrays.table?.floats,
    bias: arrays.bias?.floats ?? null,
    input: loadInput(arrays),
    inverseTemperatureLogit: arrays.inverseTemperatureLogit.floats[0],
  };
}

/** How a target's inputs become bytes, by some of them; nothing where codes are defined in float32. */
export const inputOf = (
  { nonNegative }: Target,
  rows: Float32Array,
  { codes }: Profile,
): Pick<LookupWeights, "input"> =>
  codes === "float32" ? {} : { input: inputQuantizationOf(rows, nonNegative) };

const lookupLayer = (layer: tf.layers.Layer): LookupLayer => {
  if (layer instanceof LookupLayer) return layer;
  throw new TypeError(`${layer.name} is no lookup layer`);
};

/** How lookup layers take and give their arrays. */
export const lookupArrays = {
  fill: (layer: tf.layers.Layer, arrays: NamedArrays): void =>
    lookupLayer(layer).setLookup(loadLookup(arrays)),
  read: (layer: tf.layers.Layer): NamedArrays => storeLookup(lookupLayer(layer).getLookup()),
};
