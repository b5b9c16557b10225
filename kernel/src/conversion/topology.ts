import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { lostSettings } from "../layers/assemble";
import { type LayerJson, orderReadably } from "../layers/readableOrder";

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Puts back, into a network's own description, what TensorFlow.js leaves out of it. */
function complete(layers: readonly LayerJson[], model: tf.LayersModel): void {
  for (const { config } of layers) {
    const layer = model.layers.find(({ name }) => name === config.name);
    if (!layer) continue;
    if (config.layers) complete(config.layers, layer as tf.LayersModel);
    else for (const [name, value] of Object.entries(lostSettings(layer))) config[snakeCase(name)] = value;
  }
}

/**
 * The JSON text from which `tf.models.modelFromJSON` builds a network of the same layers, each of their calls in its place.
 * Throws LutnnError where that format cannot hold it.
 */
export function topologyOf(model: tf.LayersModel): string {
  const topology: { config: { layers: LayerJson[] } } = JSON.parse(JSON.stringify(model.toJSON(null, false)));
  complete(topology.config.layers, model);
  if (!orderReadably(topology.config))
    throw new LutnnError(
      `store: ${model.name} must read back as it is from TensorFlow.js' format, which mixes up the calls of layers that are used again (got such an order of calls); build it so that a layer's calls follow one another`,
    );
  return JSON.stringify(topology);
}
