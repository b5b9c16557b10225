import * as tf from "@tensorflow/tfjs-node";
import { withFastBatchNorms } from "./fastBatchNorm";
import type { LookupConfig } from "./lookupLayer";
import "./lutConv2d";
import "./lutDense";
import "./maddnessLayer";

interface LayerJson {
  class_name: string;
  config: { name: string } & tf.serialization.ConfigDict;
}

type Definition = Exclude<Parameters<typeof tf.models.modelFromJSON>[0], { modelTopology: unknown }> & {
  config: { layers: LayerJson[] };
};

const lookupClass: Record<string, string> = { Conv2D: "LutConv2D", Dense: "LutDense" };

/** The dense layers that have a lookup twin. */
export const isReplaceable = (layer: tf.layers.Layer): boolean => layer.getClassName() in lookupClass;

/** What a layer becomes: a lookup by nearest centroids, or Maddness. */
export type Replacement = LookupConfig | "maddness";

/**
 * A new network from a network's own definition, in which the named layers are replaced. All weights are fresh; the
 * caller sets them. Its batch norms have the fast training step.
 */
export async function rebuildWithLookups(
  model: tf.LayersModel,
  replacements: ReadonlyMap<string, Replacement>,
): Promise<tf.LayersModel> {
  const definition = model.toJSON(null, false) as Definition;
  for (const layer of definition.config.layers) {
    const replacement = replacements.get(layer.config.name);
    if (!replacement) continue;
    if (replacement === "maddness") {
      layer.config.dense_class = layer.class_name;
      layer.class_name = "MaddnessLayer";
      continue;
    }
    layer.class_name = lookupClass[layer.class_name];
    layer.config.lookup = {
      num_centroids: replacement.numCentroids,
      subvector_length: replacement.subvectorLength,
      table_source: replacement.tableSource,
      table_scale: replacement.tableScale,
      table_bits: replacement.tableBits,
      distance: replacement.distance,
    };
  }
  return withFastBatchNorms(await tf.models.modelFromJSON(definition));
}
