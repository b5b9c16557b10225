// What the training benchmark times: networks and single layers, each dense and with lookups, ready to take a step.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
if (!existsSync(new URL("../lib/index.js", import.meta.url))) {
  console.error("lutnn is not built yet. In the checkout, run: npm run setup");
  process.exit(1);
}
export const { tf, models } = require("../lib/index.js");
const { linearOperator } = require("../lib/layers/linearOperator.js");
const { LookupLayer } = require("../lib/layers/lookupLayer.js");
const { assembleNetwork, freshLayer } = require("../lib/layers/assemble.js");
const { NetworkGraph } = require("../lib/layers/graph.js");
const { makeLookup } = require("../lib/layers/makeLookup.js");
const { seededRandom } = require("../lib/pq/random.js");
const { valuesOf } = require("../lib/compute/valuesOf.js");
const { softPqConv2d, softPqMatMul } = require("../lib/compute/softPq.js");
const { taskOf } = require("../lib/training/taskOf.js");
const { Optimizer, variablesOf } = require("../lib/training/optimizer.js");

export const batch = 64;
const classes = 10;
const numCentroids = 16;
/** θ that the released recipe starts from. */
const theta = 14.3846;

const normal = (shape, deviation, seed) => tf.randomNormal(shape, 0, deviation, "float32", seed);

/** Normal numbers as an array. */
function fill(size, deviation, seed) {
  const random = seededRandom(seed, "bench");
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Float32Array.from({ length: size }, () => deviation * gauss());
}

/** The same network with lookups instead of the named layers: V the filter's positions, K = 16, weights as they were. */
function withLookups(dense, names) {
  const graph = new NetworkGraph(dense);
  const operators = new Map(names.map((name) => [name, linearOperator(graph.callsOf(name)[0])]));
  const soft = assembleNetwork(graph, (name, layer) =>
    operators.has(name)
      ? makeLookup(layer, name, {
          numCentroids,
          subvectorLength: operators.get(name).filterArea,
          tableSource: "weight",
          tableScale: "layer",
          tableBits: 8,
          distance: "l2",
        })
      : freshLayer(layer, name),
  );
  for (const [i, layer] of soft.layers.entries())
    if (layer instanceof LookupLayer) {
      const operator = operators.get(layer.name);
      layer.setLookup({
        centroids: fill(operator.inputLength * numCentroids, 1, i),
        weight: valuesOf(() => operator.weight()),
        bias: operator.bias(),
        inverseTemperatureLogit: theta,
      });
    } else layer.setWeights(dense.getLayer(layer.name).getWeights());
  return soft;
}

/** A training step of a network that classifies images: () → loss. */
function networkStep(model, images, labels) {
  const lookups = model.layers.filter((layer) => layer instanceof LookupLayer);
  const temperatures = lookups.map((layer) => layer.temperatureVariable);
  const others = variablesOf(model.trainableWeights).filter((variable) => !temperatures.includes(variable));
  const groups = [
    { variables: others, learningRate: 1e-4 },
    { variables: temperatures, learningRate: 1e-3 },
  ];
  const optimizer = new Optimizer(groups, "adam");
  const task = taskOf(model, "classification");
  return () => optimizer.step(1, () => task.loss([model.apply(images, { training: true })], labels));
}

/** Convolutions 3×3 but the first. */
const replaced = (model) =>
  model.layers
    .filter((layer) => layer.getClassName() === "Conv2D" && layer.getConfig().kernelSize[0] === 3)
    .map((layer) => layer.name)
    .slice(1);

function imageNetwork(make) {
  return async (which) => {
    const dense = make();
    const names = replaced(dense);
    const images = normal([batch, ...dense.inputs[0].shape.slice(1)], 1, 7);
    const labels = tf.tensor1d(
      Array.from({ length: batch }, (_, i) => i % classes),
      "int32",
    );
    const steps = {};
    if (which !== "softPq") steps.dense = networkStep(dense, images, labels);
    if (which !== "dense") steps.softPq = networkStep(withLookups(dense, names), images, labels);
    return steps;
  };
}

/** Forward and all gradients of one layer on its own, x → y with dy given; no optimiser. */
function operatorSteps(x, outputShape, which, denseOf, softOf) {
  const dy = normal(outputShape, 1, 3);
  const steps = {};
  const run = (inputs, apply) => {
    const gradients = tf.grads(apply);
    return () => {
      const all = gradients(inputs, dy);
      tf.dispose(all);
    };
  };
  if (which !== "softPq") steps.dense = run(...denseOf(x));
  if (which !== "dense") steps.softPq = run(...softOf(x));
  return steps;
}

function convolution(size, channels, outputs) {
  return async (which) => {
    const x = normal([batch, size, size, channels], 1, 1);
    const filter = normal([3, 3, channels, outputs], 0.1, 2);
    const weight = normal([9 * channels, outputs], 0.1, 2);
    const window = {
      filterHeight: 3,
      filterWidth: 3,
      strideHeight: 1,
      strideWidth: 1,
      dilationHeight: 1,
      dilationWidth: 1,
      padTop: 1,
      padLeft: 1,
      padBottom: 1,
      padRight: 1,
    };
    const centroids = tf.tensor(fill(9 * channels * numCentroids, 1, 4), [channels, numCentroids, 9]);
    return operatorSteps(
      x,
      [batch, size, size, outputs],
      which,
      () => [[x, filter], (x, filter) => tf.conv2d(x, filter, 1, "same")],
      () => [
        [x, centroids, weight, tf.scalar(theta)],
        (x, centroids, tensor, inverseTemperatureLogit) =>
          softPqConv2d(x, window, centroids, { kind: "weight", tensor }, { inverseTemperatureLogit }),
      ],
    );
  };
}

const tokens = 64 * batch;
const V = 32;

function matrix(inputs, outputs) {
  return async (which) => {
    const x = normal([tokens, inputs], 1, 1);
    const weight = normal([inputs, outputs], 0.05, 2);
    const centroids = tf.tensor(fill(inputs * numCentroids, 1, 4), [inputs / V, numCentroids, V]);
    return operatorSteps(
      x,
      [tokens, outputs],
      which,
      () => [[x, weight], (x, weight) => tf.matMul(x, weight)],
      () => [
        [x, centroids, weight, tf.scalar(theta)],
        (x, centroids, weight, inverseTemperatureLogit) =>
          softPqMatMul(x, centroids, weight, { inverseTemperatureLogit }),
      ],
    );
  };
}

const heads = 12;
const sequence = 64;

/**
 * A BERT-base encoder layer (Devlin et al., 2019) with its attention, layer norms and GELU: forward, all gradients, one
 * Adam step. 64 sequences of 64 tokens; all six linear maps are dense, or lookups with V = 32.
 */
function encoderLayer() {
  const width = 768;
  const maps = { query: [width, width], key: [width, width], value: [width, width], output: [width, width] };
  Object.assign(maps, { up: [width, 4 * width], down: [4 * width, width] });
  const variable = (tensor) => {
    const result = tf.variable(tensor);
    tensor.dispose();
    return result;
  };
  const parameters = (soft) => {
    const all = { norms: [1, 0, 1, 0].map((value) => variable(tf.fill([width], value))) };
    for (const [i, [name, [inputs, outputs]]] of Object.entries(maps).entries()) {
      all[name] = {
        weight: variable(normal([inputs, outputs], 0.03, i + 1)),
        bias: variable(tf.zeros([outputs])),
      };
      if (!soft) continue;
      all[name].centroids = variable(
        tf.tensor(fill(inputs * numCentroids, 1, i), [inputs / V, numCentroids, V]),
      );
      all[name].theta = variable(tf.scalar(theta));
    }
    return all;
  };
  const layerNorm = (x, scale, shift) => {
    const centred = tf.sub(x, tf.mean(x, -1, true));
    const variance = tf.mean(tf.square(centred), -1, true);
    return tf.add(tf.mul(tf.mul(centred, tf.rsqrt(tf.add(variance, 1e-12))), scale), shift);
  };
  const gelu = (x) => tf.mul(tf.mul(x, 0.5), tf.add(tf.erf(tf.mul(x, Math.SQRT1_2)), 1));
  const stepOf = (soft, x, dy) => {
    const all = parameters(soft);
    const linear = (x, { weight, bias, centroids, theta }) =>
      centroids
        ? softPqMatMul(x, centroids, weight, { bias, inverseTemperatureLogit: theta })
        : tf.add(tf.matMul(x, weight), bias);
    const forward = () => {
      const split = (y) => y.reshape([batch, sequence, heads, width / heads]).transpose([0, 2, 1, 3]);
      const [query, key, value] = [all.query, all.key, all.value].map((map) => split(linear(x, map)));
      const scores = tf.mul(tf.matMul(query, key, false, true), Math.sqrt(heads / width));
      const mixed = tf.matMul(tf.softmax(scores), value).transpose([0, 2, 1, 3]).reshape([-1, width]);
      const attended = layerNorm(tf.add(linear(mixed, all.output), x), all.norms[0], all.norms[1]);
      const fed = linear(gelu(linear(attended, all.up)), all.down);
      return layerNorm(tf.add(fed, attended), all.norms[2], all.norms[3]);
    };
    const variables = Object.values(all).flatMap((part) => Object.values(part));
    const optimizer = new Optimizer([{ variables, learningRate: 1e-6 }], "adam");
    return () => optimizer.step(1, () => tf.mean(tf.mul(forward(), dy)));
  };
  return async (which) => {
    const x = normal([batch * sequence, width], 1, 1);
    const dy = normal([batch * sequence, width], 1, 3);
    const steps = {};
    if (which !== "softPq") steps.dense = stepOf(false, x, dy);
    if (which !== "dense") steps.softPq = stepOf(true, x, dy);
    return steps;
  };
}

/** What can be timed, by name: (which: "dense", "softPq" or both) → { dense, softPq }, each a step. */
export const contenders = {
  "resnet20-w16": imageNetwork(() => models.resnet20({ inputShape: [32, 32, 3], numClasses: classes })),
  "vgg11-small": imageNetwork(() => models.vgg11Small({ inputShape: [32, 32, 3], numClasses: classes })),
  "bert-layer": encoderLayer(),
  "conv 32²×16→16": convolution(32, 16, 16),
  "conv 16²×32→32": convolution(16, 32, 32),
  "conv 8²×64→64": convolution(8, 64, 64),
  "conv 16²×64→128": convolution(16, 64, 128),
  "conv 8²×128→256": convolution(8, 128, 256),
  "conv 4²×256→256": convolution(4, 256, 256),
  "bert 768→768": matrix(768, 768),
  "bert 768→3072": matrix(768, 3072),
  "bert 3072→768": matrix(3072, 768),
};
