import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { quoted } from "../../files/quoted";
import { readFileWhole } from "../../files/readFile";
import { readTensors } from "../../files/safetensors";
import type { NamedTensor } from "../../files/tensorTypes";
import { faultsText } from "../weights/faultsText";
import { writeWeight } from "../weights/places";
import { type BertHead, buildBert } from "./bert";
import { readBertConfig } from "./bertConfig";
import { headLayer, isLeftAside, type TensorPlace, tensorPlaces } from "./tensorNames";

/** Where a BERT lies: a folder as Hugging Face has it, or its two files. */
export type BertSource = string | { weights: string; config: string };

export interface LoadBertOptions extends BertHead {
  /** Of the weights of `classifier`, where the file has none, and of dropout. Default 0. */
  seed?: number;
}

export interface LoadedBert {
  model: tf.LayersModel;
  /** Tensors of the file that this network has no place for: heads of other tasks, numbers of positions. */
  unused: string[];
  /** Layers that the file holds nothing for and that begin at random: `classifier`, of an encoder without one. */
  fresh: string[];
}

/** A config.json has a few lines. */
const configBytes = 2 ** 20;
const prefix = "bert.";

/**
 * A BERT with the weights of a safetensors file in Hugging Face's form, with and without the prefix `bert.`, in float32 or
 * float16: `loadBert("folder", { sequenceLength: 64, outputs: 2 })`. Sizes come from config.json. Every tensor of the file
 * is accounted for: used, or listed in `unused`. Throws LutnnError that names all tensors that are missing, of another
 * shape, or unknown.
 */
export async function loadBert(source: BertSource, options: LoadBertOptions): Promise<LoadedBert> {
  const files =
    typeof source === "string"
      ? { weights: join(source, "model.safetensors"), config: join(source, "config.json") }
      : source;
  const { seed = 0, ...head } = options;
  const config = await readFileWhole(files.config, "loadBert", configBytes);
  const sizes = readBertConfig(config.toString("utf8"), files.config);
  const { tensors } = readTensors(await readFileWhole(files.weights, "loadBert"), files.weights);
  const model = buildBert("loadBert", { ...sizes, ...head, seed }, () => tf.initializers.zeros());
  try {
    return { model, ...fillBert(model, sizes.depth, tensors, files.weights, seed) };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** Gives a network its weights; `file` opens errors. */
function fillBert(
  model: tf.LayersModel,
  depth: number,
  tensors: readonly NamedTensor[],
  file: string,
  seed: number,
): Pick<LoadedBert, "unused" | "fresh"> {
  const given = new Map<string, NamedTensor>();
  const twice: string[] = [];
  for (const tensor of tensors) {
    const name = tensor.name.startsWith(prefix) ? tensor.name.slice(prefix.length) : tensor.name;
    if (given.has(name)) twice.push(tensor.name);
    given.set(name, tensor);
  }
  const hasLayer = (name: string) => model.layers.some((layer) => layer.name === name);
  const hasHead = hasLayer(headLayer) && [...given.keys()].some((name) => name.startsWith("classifier."));
  const places = tensorPlaces(depth, hasLayer("pooler"), hasHead);
  const missing: string[] = [];
  const wrong: string[] = [];
  const used = new Set<string>();
  const found = places.flatMap((place) => {
    const name = [place.tensor, place.alias].find((one) => one !== undefined && given.has(one));
    if (name === undefined) {
      missing.push(place.tensor);
      return [];
    }
    used.add(name);
    const tensor = given.get(name)!;
    const wanted = fileShape(place, model);
    if (!(tensor.values instanceof Float32Array)) wrong.push(`${name} of whole numbers`);
    else if (tensor.shape.join() !== wanted.join())
      wrong.push(`${name} of ${tensor.shape.join("×")} where the network has ${wanted.join("×")}`);
    return [{ place, tensor }];
  });
  const others = [...given].filter(([name]) => !used.has(name));
  const unknown = others.filter(([name]) => !isLeftAside(name)).map(([, { name }]) => name);
  const faults = [
    ["missing", missing],
    ["of another shape or type", wrong],
    ["not known", unknown],
    ["there twice, with and without the prefix", twice],
  ] as const;
  const said = faultsText(faults);
  if (said !== "")
    throw new LutnnError(
      `loadBert: the tensors in ${quoted(file)} must be those of the network that config.json describes (${said}); check that both files belong together`,
    );
  assign(model, found);
  const isFresh = hasLayer(headLayer) && !hasHead;
  if (isFresh) drawHead(model.getLayer(headLayer), seed);
  return { unused: others.map(([, { name }]) => name), fresh: isFresh ? [headLayer] : [] };
}

/** The shape that the file's tensor must have. */
function fileShape({ layer, index, isTransposed }: TensorPlace, model: tf.LayersModel): number[] {
  const shape = model.getLayer(layer).weights[index].shape as number[];
  return isTransposed ? [...shape].reverse() : shape;
}

function assign(model: tf.LayersModel, found: readonly { place: TensorPlace; tensor: NamedTensor }[]): void {
  for (const { place, tensor } of found) {
    const { layer, index, isTransposed } = place;
    const variable = model.getLayer(layer).weights[index];
    writeWeight({ variable, perm: isTransposed ? [1, 0] : undefined }, tensor.values as Float32Array);
  }
}

/** The weights that a new `classifier` begins with: normal with a deviation of 0.02, and a bias of 0. */
function drawHead(layer: tf.layers.Layer, seed: number): void {
  tf.tidy(() => {
    const [weight, bias] = layer.weights;
    const start = tf.initializers.truncatedNormal({ stddev: 0.02, seed: seed * 1000 + 1 });
    weight.write(start.apply(weight.shape as number[]));
    bias.write(tf.zeros(bias.shape as number[]));
  });
}
