import { existsSync } from "node:fs";
import { join } from "node:path";
import type * as tf from "@tensorflow/tfjs-node";
import type { TargetOptions } from "../../../conversion/targets";
import type { ExampleSource } from "../../../datasets/examples";
import { LutnnError } from "../../../errors";
import { bertLayers } from "../../../models/bert/bert";
import { loadBert } from "../../../models/bert/loadBert";
import { resnet } from "../../../models/resnet";
import { resnet18 } from "../../../models/resnet18";
import { senet18 } from "../../../models/senet18";
import { vgg11 } from "../../../models/vgg11";
import { loadWeights } from "../../../models/weights/loadWeights";
import { saveWeights } from "../../../models/weights/saveWeights";
import type { CellStore } from "../../store/cellStore";
import type { CellOf, NetworkChoice } from "../cell";
import { encoderFolder } from "./encoderFolder";

const builders = {
  resnet8: (options: Parameters<typeof resnet>[0]) => resnet({ ...options, depth: 8 }),
  resnet18,
  senet18,
  vgg11,
};

/** A network before its training, and the names of the layers that begin at random: all but an encoder's. */
export interface BuiltNetwork {
  model: tf.LayersModel;
  fresh: readonly string[];
}

/**
 * The network of a dense cell, fit for its data; an encoder comes with its published weights and a head for the task.
 * @param dropout while it is trained; weights fit a network with another one
 */
export async function buildNetwork(
  { network, data, seed }: CellOf<"dense">,
  { inputs: [{ shape }], target, name }: ExampleSource,
  signal: AbortSignal,
  dropout = 0,
): Promise<BuiltNetwork> {
  if (network.kind === "encoder") {
    const folder = await encoderFolder(network.weights, signal);
    const outputs = target.kind === "class" ? target.classes : 1;
    const { sequenceLength = 48 } = data;
    return loadBert(folder, { sequenceLength, pooling: network.pooling, outputs, seed, dropout });
  }
  if (target.kind !== "class" && target.kind !== "values")
    throw new LutnnError(
      `cell: ${name} must have a class or a number to learn (got ${target.kind}); choose another set`,
    );
  const head = target.kind === "class" ? { numClasses: target.classes } : { outputs: target.length };
  const model = builders[network.kind]({ inputShape: shape, width: network.width, seed, ...head });
  return { model, fresh: model.layers.map((layer) => layer.name) };
}

/** The layers of an encoder that a cell replaces, and trains as lookups; of an image network all that a conversion takes by itself. */
export function replacedLayers(model: tf.LayersModel, network: NetworkChoice): TargetOptions {
  if (network.kind !== "encoder") return {};
  const layers = bertLayers(model, network.last ?? undefined);
  const { attentionLength, feedForwardLength, outerLength = feedForwardLength } = network;
  const length = (name: string) =>
    name.endsWith("feedForward2")
      ? outerLength
      : name.endsWith("feedForward1")
        ? feedForwardLength
        : attentionLength;
  return { layers, subvectorLength: Object.fromEntries(layers.map((name) => [name, length(name)])) };
}

/** Lets only these parts of an encoder learn: `encoder5` of `encoder5/norm`. */
export function learnOnly(model: tf.LayersModel, names: readonly string[]): void {
  const parts = new Set(names.map((name) => name.split("/")[0]));
  for (const layer of model.layers) layer.trainable = parts.has(layer.name.split("/")[0]);
}

const weightsName = "weights.safetensors";

/** Writes a network's weights for the cells that need it. */
export const keepNetwork = (model: tf.LayersModel, kept: string): Promise<void> =>
  saveWeights(model, join(kept, weightsName), { names: "own" });

/** The trained network of a dense cell, which must be done. */
export async function trainedNetwork(
  cell: CellOf<"dense">,
  data: ExampleSource,
  store: CellStore,
  signal: AbortSignal,
): Promise<BuiltNetwork> {
  const status = await store.status(cell);
  if (status.kind !== "done" || !existsSync(join(status.kept, weightsName)))
    throw new LutnnError(
      `cell: the dense network must be trained first (it is not in ${store.folderOf(cell)}); run lutnn cell run --spec ${join(store.folderOf(cell), "cell.json")} --dir ${store.folder}`,
    );
  const built = await buildNetwork(cell, data, signal);
  await loadWeights(built.model, join(status.kept, weightsName), { names: "own" });
  return built;
}
