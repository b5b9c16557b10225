// Writes a network dense and with lookups as ONNX files: node modelFiles.mjs FOLDER NETWORK [SIZE]
// NETWORK is a model's name with the size of its images, or a name of models.paperNetworks. Weights and centroids are random,
// with K = 16 and the V that a conversion chooses: times do not depend on the numbers, and no network has to be trained
// for them.

import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const { count, models } = require("../lib/index.js");
const { assembleNetwork, freshLayer } = require("../lib/layers/assemble.js");
const { exportOnnx } = require("../lib/layers/exportOnnx.js");
const { NetworkGraph } = require("../lib/layers/graph.js");
const { linearOperator } = require("../lib/layers/linearOperator.js");
const { makeLookup } = require("../lib/layers/makeLookup.js");
const { valuesOf } = require("../lib/compute/valuesOf.js");
const { seededRandom } = require("../lib/pq/random.js");

const numCentroids = 16;

/** The network with all layers that a conversion replaces by itself as lookups, their codes in float32 or in integers. */
function withLookups(dense, codes) {
  const graph = new NetworkGraph(dense);
  const lengths = new Map([...count(dense)].map(({ name, subvectorLength }) => [name, subvectorLength]));
  const operators = new Map(
    graph.nodes.filter(({ name }) => lengths.has(name)).map((node) => [node.name, linearOperator(node)]),
  );
  const model = assembleNetwork(graph, (name, layer) => {
    const operator = operators.get(name);
    if (!operator) return freshLayer(layer, name);
    const subvectorLength = lengths.get(name);
    const settings = { tableSource: "weight", tableScale: "output", tableBits: 8, distance: "l2", codes };
    return makeLookup(layer, name, { ...settings, numCentroids, subvectorLength });
  });
  const made = new NetworkGraph(model).layers;
  const random = seededRandom(1, "bench");
  for (const { name, layer } of graph.nodes) {
    const operator = operators.get(name);
    if (operator)
      made.get(name).setLookup({
        centroids: Float32Array.from({ length: operator.inputLength * numCentroids }, () => 2 * random() - 1),
        weight: valuesOf(() => operator.weight()),
        bias: operator.bias(),
        inverseTemperatureLogit: 14,
        ...(codes === "int8" ? { input: { scale: 1 / 32, zeroPoint: 128 } } : {}),
      });
    else made.get(name).setWeights(layer.getWeights());
  }
  return model;
}

const [folder, network, size] = process.argv.slice(2);
const dense = size
  ? models[network]({
      inputShape: [Number(size), Number(size), 3],
      numClasses: size === "32" ? 10 : 1000,
    })
  : models.paperNetworks[network]();
writeFileSync(join(folder, "dense.onnx"), exportOnnx(dense));
writeFileSync(join(folder, "lookups.onnx"), exportOnnx(withLookups(dense, "float32")));
writeFileSync(join(folder, "integers.onnx"), exportOnnx(withLookups(dense, "int8")));
