import * as tf from "@tensorflow/tfjs-node";
import type { LookupConfig } from "./lookupLayer";
import "./lutConv2d";
import "./lutDense";

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

/**
 * A new network from a network's own definition, in which the named layers are their lookup twins. All weights are
 * fresh; the caller sets them.
 */
export async function rebuildWithLookups(
  model: tf.LayersModel,
  lookups: ReadonlyMap<string, LookupConfig>,
): Promise<tf.LayersModel> {
  const definition = model.toJSON(null, false) as Definition;
  for (const layer of definition.config.layers) {
    const lookup = lookups.get(layer.config.name);
    if (!lookup) continue;
    layer.class_name = lookupClass[layer.class_name];
    layer.config.lookup = {
      num_centroids: lookup.numCentroids,
      subvector_length: lookup.subvectorLength,
      table_source: lookup.tableSource,
      table_scale: lookup.tableScale,
      table_bits: lookup.tableBits ?? 8,
      distance: lookup.distance,
    };
  }
  return tf.models.modelFromJSON(definition);
}
