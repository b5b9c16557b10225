import { type LookupLayer, type pq, tf } from "lutnn";
import { assembleNetwork, freshLayer } from "../../../kernel/lib/layers/assemble";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { linearOperator } from "../../../kernel/lib/layers/linearOperator";
import { makeLookup } from "../../../kernel/lib/layers/makeLookup";
import { randomFloats } from "../random";

const config = {
  numCentroids: 5,
  tableSource: "weight",
  tableScale: "output",
  tableBits: 8,
  distance: "l2",
} as const;

/**
 * A network with some layers replaced by lookups with random centroids, without a conversion: the others keep the
 * weights of the dense network.
 * @param layers names of the layers and their V
 * @param input how inputs become bytes: codes are in int8 then
 * @param shares layers that read the same value with as long sub-vectors have the same centroids
 */
export function withLookups(
  dense: tf.LayersModel,
  layers: Record<string, number>,
  input?: pq.InputQuantization,
  shares = false,
): tf.LayersModel {
  const graph = new NetworkGraph(dense);
  const model = assembleNetwork(graph, (name, layer) =>
    name in layers
      ? makeLookup(layer, name, {
          ...config,
          subvectorLength: layers[name],
          codes: input ? "int8" : "float32",
        })
      : freshLayer(layer, name),
  );
  const made = new NetworkGraph(model).layers;
  let seed = 1;
  const seeds = new Map<string, number>();
  for (const node of graph.nodes) {
    const layer = made.get(node.name)!;
    if (!(node.name in layers)) layer.setWeights(node.layer.getWeights());
    else {
      const lookup = layer as LookupLayer;
      const { numCodebooks, numCentroids, subvectorLength } = lookup.quantizerShape;
      const operator = linearOperator(node);
      const weight = operator.weight();
      const own = seed++;
      const rows = `${node.inputs.join()}/${numCodebooks}/${subvectorLength}`;
      if (shares && !seeds.has(rows)) seeds.set(rows, own);
      const length = numCodebooks * numCentroids * subvectorLength;
      lookup.setLookup({
        centroids: randomFloats(length, seeds.get(rows) ?? own),
        weight: weight.dataSync() as Float32Array,
        bias: operator.bias(),
        input,
        inverseTemperatureLogit: 14,
      });
      weight.dispose();
    }
  }
  return model;
}

/** Random weights for a network, those of batch norms' variances above 0. */
export function randomWeights(model: tf.LayersModel, seed = 1): tf.LayersModel {
  let next = seed;
  for (const layer of new NetworkGraph(model).layers.values())
    tf.tidy(() =>
      layer.setWeights(
        layer.weights.map(({ name, shape }) => {
          const size = shape.reduce<number>((product, length) => product * length!, 1);
          const values = randomFloats(size, next++);
          const positive = values.map((x) => 0.5 + Math.abs(x));
          return tf.tensor(name.includes("variance") ? positive : values, shape as number[]);
        }),
      ),
    );
  return model;
}

const L = tf.layers;
type Tensor = tf.SymbolicTensor;

/**
 * Two inputs, images of 5×7×3 and 4 words of 6 numbers; a strided and a dilated convolution, a Conv1D, a dense layer on
 * (4, 5), one layer used twice, a nested network, and two outputs.
 */
export function manyKinds(): tf.LayersModel {
  const image = tf.input({ shape: [5, 7, 3], name: "image" });
  const words = tf.input({ shape: [4, 6], name: "words" });
  const conv = (name: string, args: object) =>
    L.conv2d({ filters: 4, kernelSize: 3, padding: "same", name, ...args });
  const shared = conv("shared", { activation: "relu" });
  let x = conv("wide", { strides: [2, 1], activation: "tanh" }).apply(image) as Tensor;
  x = shared.apply(shared.apply(x)) as Tensor; // (3, 7, 4)
  const inner = tf.input({ shape: [3, 7, 4] });
  const nested = tf.model({
    inputs: inner,
    outputs: conv("dilated", { dilationRate: 2, filters: 2 }).apply(inner) as Tensor,
    name: "nested",
  });
  x = L.flatten({ name: "flat" }).apply(nested.apply(x)) as Tensor;
  let y = L.conv1d({ filters: 5, kernelSize: 3, padding: "same", name: "line" }).apply(words) as Tensor;
  y = L.dense({ units: 6, activation: "relu", name: "each" }).apply(y) as Tensor; // (4, 6)
  y = L.flatten({ name: "flatWords" }).apply(y) as Tensor;
  const both = L.concatenate({ name: "both" }).apply([x, y]) as Tensor;
  const classes = L.dense({ units: 3, activation: "softmax", name: "classes" }).apply(both) as Tensor;
  const numbers = L.dense({ units: 3, name: "numbers" }).apply(both) as Tensor;
  return randomWeights(tf.model({ inputs: [image, words], outputs: [classes, numbers], name: "many" }));
}

/** V of its layers that have a lookup twin. */
export const manyLookups = { wide: 9, shared: 18, dilated: 9, line: 3, each: 5, numbers: 6 };
