import * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../../compute/valuesOf";

type Variable = tf.layers.Layer["weights"][number];

/** One weight of a layer, and how files of other libraries hold it. */
export interface WeightPlace {
  variable: Variable;
  /** Behind the layer's name in the file: `weight`, `running_mean`. */
  part: string;
  /** The weight's axes in the order of the file's; left out, they are the same. */
  perm?: readonly number[];
  /** Shape in the file. */
  shape: number[];
}

interface Form {
  part: string;
  perm?: readonly number[];
  /** Shape in the file, of the permuted weight's. */
  reshape?(shape: number[]): number[];
}

const bias: Form = { part: "bias" };

/** By class, then by the last part of a weight's name in tf.js: as PyTorch holds them. */
const forms: Readonly<Record<string, Readonly<Record<string, Form>>>> = {
  Conv2D: { kernel: { part: "weight", perm: [3, 2, 0, 1] }, bias },
  Conv1D: { kernel: { part: "weight", perm: [2, 1, 0] }, bias },
  Dense: { kernel: { part: "weight", perm: [1, 0] }, bias },
  DepthwiseConv2D: {
    depthwise_kernel: {
      part: "weight",
      perm: [2, 3, 0, 1],
      reshape: ([channels, multiplier, ...filter]) => [channels * multiplier, 1, ...filter],
    },
    bias,
  },
  Embedding: { embeddings: { part: "weight" } },
  LayerNormalization: { gamma: { part: "weight" }, beta: { part: "bias" } },
  BatchNormalization: {
    gamma: { part: "weight" },
    beta: { part: "bias" },
    moving_mean: { part: "running_mean" },
    moving_variance: { part: "running_var" },
  },
};

/**
 * The weights of a layer as files hold them: as PyTorch has those of convolutions, dense layers, embeddings and norms, by
 * the last part of their names and as they are for every other class.
 */
export function placesOf(layer: tf.layers.Layer): WeightPlace[] {
  const known = forms[layer.getClassName()] ?? {};
  return layer.weights.map((variable) => {
    const own = variable.originalName.split("/").pop()!;
    const { part, perm, reshape }: Form = known[own] ?? { part: own };
    const shape = variable.shape as number[];
    const inFile = perm ? perm.map((axis) => shape[axis]) : shape;
    return { variable, part, perm, shape: reshape ? reshape(inFile) : inFile };
  });
}

/** Gives a weight the numbers of a file's tensor. */
export function writeWeight(
  { variable, perm }: Pick<WeightPlace, "variable" | "perm">,
  values: Float32Array,
): void {
  tf.tidy(() => {
    const shape = variable.shape as number[];
    const tensor = tf.tensor(values, perm ? perm.map((axis) => shape[axis]) : shape);
    // Axis i of the weight is that axis of the file's tensor which holds it.
    variable.write(
      perm
        ? tf.transpose(
            tensor,
            shape.map((_, axis) => perm.indexOf(axis)),
          )
        : tensor,
    );
  });
}

/** A weight's numbers as files hold them. */
export const readWeight = ({ variable, perm }: Pick<WeightPlace, "variable" | "perm">): Float32Array =>
  valuesOf(() => (perm ? tf.transpose(variable.read(), [...perm]) : variable.read().clone()));
