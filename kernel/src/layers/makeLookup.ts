import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import type { LookupConfig, LookupLayer, LookupWeights } from "./lookupLayer";
import { LutConv2D } from "./lutConv2d";
import { LutDense } from "./lutDense";

/** The lookup twin of a built dense layer, on its own: with arrays in place, ready to be applied; the caller disposes. */
export function makeLookup(
  dense: tf.layers.Layer,
  lookup: LookupConfig,
  weights: LookupWeights,
): LookupLayer {
  const config = { ...dense.getConfig(), lookup: { ...lookup } };
  const kinds: Record<string, () => LookupLayer> = {
    Conv2D: () => new LutConv2D(config),
    Dense: () => new LutDense(config),
  };
  const make = kinds[dense.getClassName()];
  if (!make)
    throw new LutnnError(
      `${dense.name}: only Conv2D and Dense layers have a lookup twin (got ${dense.getClassName()})`,
    );
  const layer = make();
  const shape = (dense.input as tf.SymbolicTensor).shape.slice(1);
  layer.apply(tf.input({ shape }));
  layer.setLookup(weights);
  return layer;
}
