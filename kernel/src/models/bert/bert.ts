import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { fastLayerNorm } from "../../layers/fastLayerNorm";
import { Attention } from "../../layers/kinds/attention";
import { MaskedMean } from "../../layers/kinds/maskedMean";
import { PositionEmbedding } from "../../layers/kinds/positionEmbedding";
import { Slice } from "../../layers/kinds/slice";
import { SeededDropout } from "../../layers/seededDropout";

/** The activation between the two feed-forward layers: GELU by the error function, by tanh, or ReLU. */
export type BertActivation = "gelu" | "gelu_new" | "relu";

/** The sizes of a BERT; the defaults are those of BERT base, uncased. */
export interface BertSizes {
  /** Encoder layers. Default 12. */
  depth?: number;
  /** Numbers of a token's vector. Default 768. */
  width?: number;
  /** Default 12; must divide the width. */
  numHeads?: number;
  /** Between the two feed-forward layers. Default 3072. */
  feedForwardWidth?: number;
  /** Tokens that there are. Default 30,522. */
  vocabularySize?: number;
  /** The longest sequence that the position table has rows for. Default 512. */
  numPositions?: number;
  /** Kinds of segments that there are: which of the texts a token belongs to. Default 2. */
  numSegments?: number;
  /** Default "gelu". */
  activation?: BertActivation;
  /** Added to the variance by the layer norms. Default 1e-12. */
  epsilon?: number;
}

/** What stands behind the encoder. */
export interface BertHead {
  /** Tokens of an input, padding included; at most `numPositions`. */
  sequenceLength: number;
  /**
   * How a sequence becomes one vector: `pooler`, a dense layer and tanh on the first token, as classifiers have it;
   * `mean`, the mean over the real positions, as sentence encoders have it; `none` keeps a vector for each position.
   * Default `pooler`.
   */
  pooling?: "pooler" | "mean" | "none";
  /**
   * Share of the numbers that training sets to 0, new in each step: behind the embeddings, the attention output, the second
   * feed-forward layer and before the classifier, as published, where it is 0.1 (that of attention's own weights is not there).
   * Elsewhere nothing of it is left: no weights, no node of a file, no operation. 0 builds no such layer. Default 0.
   */
  dropout?: number;
  /** Logits of classes, or numbers, that a dense layer `classifier` makes of it; left out, the vector itself is the output. */
  outputs?: number;
}

export interface BertOptions extends BertSizes, BertHead {
  /** Of the initial weights (normal with a standard deviation of 0.02, cut off at two) and of dropout. Default 0. */
  seed?: number;
}

type Initializer = ReturnType<typeof tf.initializers.zeros>;

/** As published: of all matrices and tables. */
const deviation = 0.02;

/** The six layers of one encoder that have a weight to be looked up: query, key, value, output, both feed-forward layers. */
export const encoderLayerNames = (encoder: number): string[] =>
  [
    "attention/query",
    "attention/key",
    "attention/value",
    "attention/output",
    "feedForward1",
    "feedForward2",
  ].map((name) => `encoder${encoder}/${name}`);

/**
 * The names of the layers that a conversion replaces in a BERT, as published: query, key, value, attention output and both
 * feed-forward layers of the `last` encoder layers (default: all), for { layers } of `convert`. Throws LutnnError on another
 * network and where there are not so many.
 */
export function bertLayers(model: tf.LayersModel, last?: number): string[] {
  const depth = model.layers.filter(({ name }) => /^encoder\d+\/attention\/query$/.test(name)).length;
  if (depth === 0)
    throw new LutnnError(
      `bertLayers: the network must be one that models.bert or models.loadBert made (${model.name} has no layer encoder0/attention/query); name its layers yourself`,
    );
  const count = last ?? depth;
  if (!Number.isInteger(count) || count < 1 || count > depth)
    throw new LutnnError(
      `bertLayers: last must be from 1 to ${depth}, the network's encoder layers (got ${count})`,
    );
  return Array.from({ length: count }, (_, i) => encoderLayerNames(depth - count + i)).flat();
}

/**
 * BERT (Devlin et al., 2019) of any size, with random weights: token, position and segment embeddings and a layer norm;
 * encoder layers of attention in several heads and two feed-forward layers, each behind a sum and a layer norm; pooling and,
 * with `outputs`, a dense layer `classifier`. Inputs int32 (sequenceLength): `tokens`, `segments` (0 for the first text, 1
 * for the second), and `mask` (1 for real tokens, 0 for padding). Output float32 (width), (outputs), or one such row a
 * position. Layers are named `encoder0/attention/query` and so on. Throws LutnnError on sizes that do not fit.
 */
export const bert = (options: BertOptions): tf.LayersModel => {
  const { seed = 0 } = options;
  let index = 0;
  return buildBert("bert", options, () =>
    tf.initializers.truncatedNormal({ stddev: deviation, seed: seed * 1000 + ++index }),
  );
};

/** The network with weights of these initializers, one for each; `what` opens errors. */
export function buildBert(
  what: string,
  options: BertOptions,
  initializer: () => Initializer,
): tf.LayersModel {
  const { sequenceLength, pooling = "pooler", outputs, dropout = 0, seed = 0, ...sizes } = options;
  const { depth, width, numHeads, ...rest } = checkedSizes(what, { ...sizes, sequenceLength }, outputs);
  const { feedForwardWidth, vocabularySize, numPositions, numSegments, activation, epsilon } = rest;
  if (!["pooler", "mean", "none"].includes(pooling))
    throw new LutnnError(
      `${what}: pooling must be "pooler", "mean" or "none" (got ${JSON.stringify(pooling)})`,
    );
  if (!(dropout >= 0 && dropout < 1))
    throw new LutnnError(`${what}: dropout must be a number from 0, below 1 (got ${dropout})`);
  const input = (name: string) => tf.input({ shape: [sequenceLength], dtype: "int32", name });
  const [tokens, segments, mask] = [input("tokens"), input("segments"), input("mask")];
  const apply = (layer: tf.layers.Layer, x: tf.SymbolicTensor | tf.SymbolicTensor[]) =>
    layer.apply(x) as tf.SymbolicTensor;
  const table = (name: string, inputDim: number, x: tf.SymbolicTensor) =>
    apply(tf.layers.embedding({ inputDim, outputDim: width, embeddingsInitializer: initializer(), name }), x);
  const dense = (name: string, units: number, x: tf.SymbolicTensor, by?: BertActivation | "tanh") =>
    apply(tf.layers.dense({ units, activation: by, kernelInitializer: initializer(), name }), x);
  const add = (name: string, values: tf.SymbolicTensor[]) => apply(tf.layers.add({ name }), values);
  const norm = (name: string, x: tf.SymbolicTensor) =>
    apply(fastLayerNorm(tf.layers.layerNormalization({ epsilon, name })), x);

  const drop = (name: string, x: tf.SymbolicTensor) =>
    dropout === 0 ? x : apply(new SeededDropout({ rate: dropout, seed, name }), x);

  const words = table("embeddings/tokens", vocabularySize, tokens);
  const parts = table("embeddings/segments", numSegments, segments);
  const placed = new PositionEmbedding(
    { positions: numPositions, name: "embeddings/positions" },
    initializer(),
  );
  const embedded = apply(placed, add("embeddings/sum", [words, parts]));
  let x = drop("embeddings/dropout", norm("embeddings/norm", embedded));
  for (let i = 0; i < depth; i++) {
    const name = `encoder${i}/attention`;
    const [query, key, value] = ["query", "key", "value"].map((one) => dense(`${name}/${one}`, width, x));
    const heads = apply(new Attention({ numHeads, name: `${name}/heads` }), [query, key, value, mask]);
    const mixed = drop(`${name}/dropout`, dense(`${name}/output`, width, heads));
    const attended = add(`${name}/sum`, [mixed, x]);
    const y = norm(`${name}/norm`, attended);
    const inner = dense(`encoder${i}/feedForward1`, feedForwardWidth, y, activation);
    const outer = drop(`encoder${i}/dropout`, dense(`encoder${i}/feedForward2`, width, inner));
    x = norm(`encoder${i}/norm`, add(`encoder${i}/sum`, [outer, y]));
  }
  if (pooling === "mean") x = apply(new MaskedMean({ name: "pooled" }), [x, mask]);
  if (pooling === "pooler") {
    const first = apply(new Slice({ axis: 1, start: 0, length: 1, name: "first" }), x);
    x = dense("pooler", width, apply(tf.layers.flatten({ name: "pooled" }), first), "tanh");
  }
  if (outputs !== undefined) x = dense("classifier", outputs, drop("dropout", x));
  return tf.model({ inputs: [tokens, segments, mask], outputs: x, name: "bert" });
}

/** Sizes with their defaults. Throws LutnnError on those that are no positive integers or do not fit each other. */
function checkedSizes(
  what: string,
  given: BertSizes & { sequenceLength: number },
  outputs?: number,
): Required<BertSizes> & { sequenceLength: number } {
  const sizes = {
    depth: 12,
    width: 768,
    numHeads: 12,
    feedForwardWidth: 3072,
    vocabularySize: 30_522,
    numPositions: 512,
    numSegments: 2,
    activation: "gelu" as const,
    epsilon: 1e-12,
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
  } as Required<BertSizes> & { sequenceLength: number };
  const { activation, epsilon, width, numHeads, numPositions, sequenceLength } = sizes;
  const { depth, feedForwardWidth, vocabularySize, numSegments } = sizes;
  const counts = { depth, width, numHeads, feedForwardWidth, vocabularySize, numPositions, numSegments };
  for (const [name, value] of Object.entries({ sequenceLength, ...counts, outputs: outputs ?? 1 }))
    if (!Number.isInteger(value) || value < 1)
      throw new LutnnError(`${what}: ${name} must be a positive integer (got ${value})`);
  if (width % numHeads !== 0)
    throw new LutnnError(`${what}: numHeads must divide the width (got ${numHeads} heads and ${width})`);
  if (sequenceLength > numPositions)
    throw new LutnnError(
      `${what}: sequenceLength must be at most numPositions (got ${sequenceLength} and ${numPositions}); shorten the texts`,
    );
  if (!["gelu", "gelu_new", "relu"].includes(activation))
    throw new LutnnError(
      `${what}: activation must be "gelu", "gelu_new" or "relu" (got ${JSON.stringify(activation)})`,
    );
  if (!(epsilon > 0)) throw new LutnnError(`${what}: epsilon must be above 0 (got ${epsilon})`);
  return sizes;
}
