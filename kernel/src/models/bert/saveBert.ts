import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { writeSafetensors } from "../../files/safetensors";
import type { NamedTensor } from "../../files/tensorTypes";
import { writeFileWhole } from "../../files/writeFile";
import type { Attention } from "../../layers/kinds/attention";
import type { PositionEmbedding } from "../../layers/kinds/positionEmbedding";
import { readWeight } from "../weights/places";
import type { BertActivation, BertSizes } from "./bert";
import { writeBertConfig } from "./bertConfig";
import { headLayer, tensorPlaces } from "./tensorNames";

/** The layers of a network by name, those of a BERT only. */
class BertLayers {
  constructor(private readonly model: tf.LayersModel) {}

  has(name: string): boolean {
    return this.model.layers.some((layer) => layer.name === name);
  }

  get(name: string): tf.layers.Layer {
    const layer = this.model.layers.find((one) => one.name === name);
    if (layer && !layer.getClassName().startsWith("Lut")) return layer;
    throw new LutnnError(
      `saveBert: the network must be a dense BERT that models.bert or models.loadBert made (${this.model.name} has ${layer ? `${name} as a ${layer.getClassName()}` : `no layer ${name}`}); conversion.save writes a converted one`,
    );
  }

  /** Lengths of a layer's weight. */
  shape(name: string, index = 0): number[] {
    return this.get(name).weights[index].shape as number[];
  }

  get depth(): number {
    let depth = 0;
    while (this.has(`encoder${depth}/norm`)) depth++;
    return depth;
  }

  get sizes(): Required<BertSizes> {
    const [vocabularySize, width] = this.shape("embeddings/tokens");
    const inner = this.get("encoder0/feedForward1").getConfig();
    return {
      depth: this.depth,
      width,
      vocabularySize,
      numHeads: (this.get("encoder0/attention/heads") as Attention).numHeads,
      feedForwardWidth: this.shape("encoder0/feedForward1")[1],
      numPositions: (this.get("embeddings/positions") as PositionEmbedding).positions,
      numSegments: this.shape("embeddings/segments")[0],
      activation: inner.activation as BertActivation,
      epsilon: this.get("embeddings/norm").getConfig().epsilon as number,
    };
  }
}

/**
 * Writes a dense BERT into a folder as Hugging Face's libraries read it: `model.safetensors` (float32) under their names,
 * with the prefix `bert.` where there is a `classifier`, and `config.json`. {@link loadBert} reads it back. Throws LutnnError
 * on another network, and where a file cannot be written.
 */
export async function saveBert(model: tf.LayersModel, folder: string): Promise<void> {
  const layers = new BertLayers(model);
  const hasHead = layers.has(headLayer);
  const { sizes } = layers;
  const places = tensorPlaces(sizes.depth, layers.has("pooler"), hasHead);
  const tensors = places.map(({ tensor, layer, index, isTransposed }): NamedTensor => {
    const shape = layers.shape(layer, index);
    const variable = layers.get(layer).weights[index];
    const values = readWeight({ variable, perm: isTransposed ? [1, 0] : undefined });
    const name = hasHead && !tensor.startsWith("classifier.") ? `bert.${tensor}` : tensor;
    return { name, shape: isTransposed ? [...shape].reverse() : shape, values };
  });
  const outputs = hasHead ? layers.shape(headLayer)[1] : undefined;
  const bytes = writeSafetensors(tensors, { format: "pt" });
  await writeFileWhole(join(folder, "model.safetensors"), bytes, "saveBert");
  await writeFileWhole(join(folder, "config.json"), writeBertConfig(sizes, outputs), "saveBert");
}
