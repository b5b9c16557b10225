// Writes a network dense, with lookups, with lookups and the rest in INT8, and of transformers with codebooks that layers share beside
// that, as ONNX files: node modelFiles.mjs FOLDER NETWORK SIZE
// SIZE is that of images, or tokens of a sequence. Weights and centroids are random, with K = 16 and V a 3×3 filter's 9
// positions, or 4 channels, or 32 numbers of a transformer's vectors: times do not depend on the numbers, and no network has to
// be trained for them. Transformers have a vocabulary of 2,000, so that files are not mostly embeddings.

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const { convert, datasets, models } = require("../lib/index.js");
const { integerRemainder } = require("../lib/conversion/remainder/integerRemainder.js");
const { assembleNetwork, freshLayer } = require("../lib/layers/assemble.js");
const { exportOnnx } = require("../lib/layers/exportOnnx.js");
const { NetworkGraph } = require("../lib/layers/graph.js");
const { linearOperator } = require("../lib/layers/linearOperator.js");
const { makeLookup } = require("../lib/layers/makeLookup.js");
const { valuesOf } = require("../lib/compute/valuesOf.js");
const { seededRandom } = require("../lib/pq/random.js");

const [folder, network, size] = process.argv.slice(2);
const isTransformer = /bert|minilm/.test(network);
const numCentroids = 16;

const images = (name) => (size) => {
  const dense = models[name]({ inputShape: [size, size, 3], numClasses: size === 32 ? 10 : 1000 });
  return { dense, chosen: convert(dense).layers.names };
};
/** A BERT whose last encoder layers are replaced. */
const bert = (sizes, last) => (sequenceLength) => {
  const dense = models.bert({ vocabularySize: 2000, sequenceLength, ...sizes });
  return { dense, chosen: models.bertLayers(dense, last) };
};
/** By name: size → the dense network and the layers that become lookups. */
const networks = {
  resnet18: images("resnet18"),
  senet18: images("senet18"),
  vgg11: images("vgg11"),
  bert6: bert({ depth: 6, outputs: 2 }, 6),
  bert12: bert({ depth: 12, outputs: 2 }, 6),
  minilm: bert({ depth: 6, width: 384, feedForwardWidth: 1536, pooling: "mean" }, 6),
};

const subvectorLength = ({ filterArea }) => (filterArea > 1 ? filterArea : isTransformer ? 32 : 4);

/**
 * The network with the chosen layers as lookups, their codes in float32 or in integers.
 * @param shares layers that read the same value have the same codebooks
 */
function withLookups({ dense, chosen: names }, codes, shares = false) {
  const graph = new NetworkGraph(dense);
  const chosen = new Set(names);
  const operators = new Map(
    graph.nodes.filter(({ name }) => chosen.has(name)).map((node) => [node.name, linearOperator(node)]),
  );
  const model = assembleNetwork(graph, (name, layer) => {
    const operator = operators.get(name);
    if (!operator) return freshLayer(layer, name);
    const settings = { tableSource: "weight", tableScale: "output", tableBits: 8, distance: "l2", codes };
    return makeLookup(layer, name, { ...settings, numCentroids, subvectorLength: subvectorLength(operator) });
  });
  const made = new NetworkGraph(model).layers;
  const random = seededRandom(1, "bench");
  const shared = new Map();
  for (const { name, layer, inputs } of graph.nodes) {
    const operator = operators.get(name);
    const draw = () =>
      Float32Array.from({ length: operator.inputLength * numCentroids }, () => 2 * random() - 1);
    if (operator && shares && !shared.has(inputs[0])) shared.set(inputs[0], draw());
    if (operator)
      made.get(name).setLookup({
        centroids: shares ? shared.get(inputs[0]) : draw(),
        weight: valuesOf(() => operator.weight()),
        bias: operator.bias(),
        inverseTemperatureLogit: 14,
        ...(codes === "int8" ? { input: { scale: 1 / 32, zeroPoint: 128 } } : {}),
      });
    else made.get(name).setWeights(layer.getWeights());
  }
  return model;
}

/** Random examples for a network; of tokens, segments and masks all ones. */
function examplesFor({ inputs }, count) {
  const random = seededRandom(2, "bench");
  const arrays = inputs.map(({ name, shape: [, ...shape], dtype }) => {
    const length = count * shape.reduce((product, one) => product * one, 1);
    const values =
      dtype === "int32"
        ? new Int32Array(length).fill(1)
        : Float32Array.from({ length }, () => 2 * random() - 1);
    return [name, { shape, values }];
  });
  const targets = { target: { kind: "class", classes: 2 }, targets: new Int32Array(count) };
  return new datasets.ArrayExamples({ name: "random", inputs: Object.fromEntries(arrays), ...targets });
}

/** The file whose dense layers are in INT8, by ranges of a few random examples: as many as the other engine's are of. */
async function withIntegerRemainder(model) {
  const graph = new NetworkGraph(model);
  const data = examplesFor(graph, 8);
  const { signal } = new AbortController();
  const { layerOf } = await integerRemainder(graph, { what: "bench", data, task: null, signal });
  return exportOnnx(new NetworkGraph(model, layerOf));
}

const made = networks[network](Number(size));
writeFileSync(join(folder, "dense.onnx"), exportOnnx(made.dense));
writeFileSync(join(folder, "lookups.onnx"), exportOnnx(withLookups(made, "float32")));
const integers = withLookups(made, "int8");
writeFileSync(join(folder, "integers.onnx"), exportOnnx(integers));
writeFileSync(join(folder, "remainder.onnx"), await withIntegerRemainder(integers));
if (isTransformer)
  writeFileSync(join(folder, "shared.onnx"), await withIntegerRemainder(withLookups(made, "int8", true)));
