import type * as tf from "@tensorflow/tfjs-node";
import { LookupLayer, type LookupWeights } from "../../layers/lookupLayer";
import { type NamedArrays, StoredArray } from "../storedArray";

/** The arrays of a lookup layer as a conversion keeps them. */
export function storeLookup({ inverseTemperatureLogit, bias, ...arrays }: LookupWeights): NamedArrays {
  const flat = (values: Float32Array) => new StoredArray([values.length], values);
  return {
    ...Object.fromEntries(
      Object.entries(arrays)
        .filter((entry): entry is [string, Float32Array] => entry[1] !== undefined)
        .map(([name, values]) => [name, flat(values)]),
    ),
    ...(bias ? { bias: flat(bias) } : {}),
    inverseTemperatureLogit: flat(Float32Array.of(inverseTemperatureLogit)),
  };
}

function loadLookup(arrays: NamedArrays): LookupWeights {
  return {
    centroids: arrays.centroids.floats,
    weight: arrays.weight?.floats,
    table: arrays.table?.floats,
    bias: arrays.bias?.floats ?? null,
    inverseTemperatureLogit: arrays.inverseTemperatureLogit.floats[0],
  };
}

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
