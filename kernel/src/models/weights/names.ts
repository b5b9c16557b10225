import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";

/**
 * What a layer is called in a file: `torchvision`, as its ResNet18 and VGG11 with batch norm call it; `own`, its name in the
 * network; or what a function says, null for a layer that the file does not hold.
 */
export type LayerNames = "torchvision" | "own" | ((layer: string) => string | null);

/** `stage2_block1_conv1_bn` → `layer2.0.bn1` */
function inResNet18(layer: string): string | null {
  if (layer === "conv1" || layer === "fc") return layer;
  if (layer === "conv1_bn") return "bn1";
  const [, stage, block, what, number, isNorm] =
    /^stage(\d+)_block(\d+)_(conv|shortcut)(\d?)(_bn)?$/.exec(layer) ?? [];
  if (stage === undefined) return null;
  const within = what === "shortcut" ? `downsample.${isNorm ? 1 : 0}` : `${isNorm ? "bn" : "conv"}${number}`;
  return `layer${stage}.${Number(block) - 1}.${within}`;
}

/** Where the convolutions of torchvision's VGG11 with batch norm stand in its `features`. */
const vggConvolutions = [0, 4, 8, 11, 15, 18, 22, 25];

/** `conv3_bn` → `features.9` */
function inVgg11(layer: string): string | null {
  if (layer === "fc") return layer;
  const [, number, isNorm] = /^conv(\d)(_bn)?$/.exec(layer) ?? [];
  return number === undefined ? null : `features.${vggConvolutions[Number(number) - 1] + (isNorm ? 1 : 0)}`;
}

interface Published {
  layer(name: string): string | null;
  /** Layers that a file may hold nothing for. */
  optional: readonly string[];
  /** Tensors of the file that have no place in the network. */
  others: RegExp;
  /** Whether the file's convolutions before a norm have biases. */
  biases: boolean;
}

const torchvision: Readonly<Record<string, Published>> = {
  resnet18: { layer: inResNet18, optional: [], others: /\.num_batches_tracked$/, biases: false },
  // The dense layer is the paper's; torchvision has three others.
  vgg11: { layer: inVgg11, optional: ["fc"], others: /\.num_batches_tracked$|^classifier\./, biases: true },
};

/** How a network's weights are called in files. Throws LutnnError where `torchvision` has no such network. */
export function namesFor(what: string, model: tf.LayersModel, names?: LayerNames): Published {
  const plain = { optional: [], others: /\.num_batches_tracked$/, biases: false };
  if (typeof names === "function") return { ...plain, layer: names };
  const known = Object.hasOwn(torchvision, model.name) ? torchvision[model.name] : undefined;
  if (names !== "own" && known) return known;
  if (names === "torchvision")
    throw new LutnnError(
      `${what}: names "torchvision" are those of models.${Object.keys(torchvision).join(" and models.")} (got a network called ${JSON.stringify(model.name)}); give a function from a layer's name to the file's`,
    );
  return { ...plain, layer: (layer) => layer.replaceAll("/", ".") };
}
