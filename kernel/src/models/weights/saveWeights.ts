import type * as tf from "@tensorflow/tfjs-node";
import { writeSafetensors } from "../../files/safetensors";
import type { NamedTensor } from "../../files/tensorTypes";
import { writeFileWhole } from "../../files/writeFile";
import { NetworkGraph } from "../../layers/graph";
import { type LayerNames, namesFor } from "./names";
import { placesOf, readWeight } from "./places";

export interface SaveWeightsOptions {
  /** As {@link loadWeights} takes them. Layers that these names leave out are written under their own. */
  names?: LayerNames;
}

/**
 * Writes a network's weights as safetensors (float32) in the layouts of PyTorch, which {@link loadWeights} reads back and
 * PyTorch's `load_state_dict` takes. Throws LutnnError where the file cannot be written.
 */
export async function saveWeights(
  model: tf.LayersModel,
  file: string,
  { names }: SaveWeightsOptions = {},
): Promise<void> {
  const graph = new NetworkGraph(model);
  const { layer: nameOf, biases } = namesFor("saveWeights", model, names);
  const tensors: NamedTensor[] = [];
  for (const [name, layer] of graph.layers) {
    const inFile = nameOf(name) ?? name.replaceAll("/", ".");
    const places = placesOf(layer);
    for (const place of places)
      tensors.push({ name: `${inFile}.${place.part}`, shape: place.shape, values: readWeight(place) });
    // The published network has one here; this one's is part of the norm.
    if (biases && layer.getClassName() === "Conv2D" && places.length === 1)
      tensors.push({
        name: `${inFile}.bias`,
        shape: [places[0].shape[0]],
        values: new Float32Array(places[0].shape[0]),
      });
  }
  await writeFileWhole(file, writeSafetensors(tensors, { format: "pt" }), "saveWeights");
}
