import type * as tf from "@tensorflow/tfjs-node";
import { lostSettings } from "../layers/assemble";

interface LayerJson {
  config: { name: string; layers?: LayerJson[] } & Record<string, unknown>;
}

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

/** The JSON text from which `tf.models.modelFromJSON` builds a network of the same layers. */
export function topologyOf(model: tf.LayersModel): string {
  const topology: { config: { layers: LayerJson[] } } = JSON.parse(JSON.stringify(model.toJSON(null, false)));
  complete(topology.config.layers, model);
  return JSON.stringify(topology);
}
