import { fromOnnx, pq, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import type { LookupLayer } from "../../../kernel/lib/layers/lookupLayer";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { randomFloats } from "../random";
import { runOnnx } from "./sameOutputs";
import { withLookups } from "./withLookups";

const L = tf.layers;

const kinds: [string, tf.layers.Layer, number[], number][] = [
  [
    "conv2d, padded",
    L.conv2d({ filters: 5, kernelSize: [3, 2], padding: "same", activation: "relu", name: "looked" }),
    [5, 7, 4],
    6,
  ],
  [
    "conv2d, strides 2, 1",
    L.conv2d({ filters: 3, kernelSize: 3, strides: [2, 1], padding: "same", name: "looked" }),
    [6, 5, 4],
    18,
  ],
  [
    "conv2d, dilated, no bias",
    L.conv2d({ filters: 5, kernelSize: 2, dilationRate: 2, padding: "same", useBias: false, name: "looked" }),
    [5, 7, 2],
    4,
  ],
  [
    "conv2d, 1×1, strides 2",
    L.conv2d({ filters: 5, kernelSize: 1, strides: 2, name: "looked" }),
    [5, 7, 8],
    4,
  ],
  ["conv1d", L.conv1d({ filters: 5, kernelSize: 3, padding: "same", name: "looked" }), [7, 4], 6],
  ["dense", L.dense({ units: 5, name: "looked" }), [12], 4],
  ["dense on sequences", L.dense({ units: 5, activation: "relu", name: "looked" }), [3, 8], 4],
];

const inputs = [
  { scale: Math.fround(0.007), zeroPoint: 0 },
  { scale: Math.fround(0.011), zeroPoint: 128 },
  { scale: Math.fround(0.005), zeroPoint: 250 },
];

describe("a lookup with codes in integers", () => {
  it.each(kinds.flatMap((kind) => inputs.map((input) => [...kind, input] as const)))(
    "gives the oracle's sums in TensorFlow and in ONNX Runtime, optimised, number by number: %s %#",
    async (_, layer, shape, V, input) => {
      const symbolic = tf.input({ shape });
      const config = layer.getConfig();
      const kind = layer.constructor as tf.serialization.SerializableConstructor<tf.layers.Layer>;
      const dense = kind.fromConfig(kind, config);
      const model = tf.model({ inputs: symbolic, outputs: dense.apply(symbolic) as tf.SymbolicTensor });
      const network = withLookups(model, { looked: V }, input);
      const looked = network.getLayer("looked") as LookupLayer;
      const lookup = looked.exportLookup();
      const size = shape.reduce((a, b) => a * b);
      const x = tf.tensor(
        randomFloats(3 * size, 9).map((value) => value * 2), // some are cut off
        [3, ...shape],
      );
      const rows = looked.inputRows(x).dataSync() as Float32Array;
      const count = rows.length / (lookup.numCodebooks * lookup.subvectorLength);
      const codes = pq.encodeIntegersReference(rows, count, lookup.integers!, lookup);
      expect(new Set(codes).size).toBeGreaterThan(3);
      const sums = pq.lookupReference(codes, count, lookup.lookupTable, lookup, lookup.outputs);
      const wanted = [...pq.scaleSumsReference(sums, lookup.tableScale, lookup.bias)].map((value) =>
        config.activation === "relu" ? Math.max(0, value) : value,
      );
      const y = network.predict(x) as tf.Tensor;
      expect([...y.dataSync()]).toEqual(wanted);
      const bytes = exportOnnx(network);
      const { output } = await runOnnx(bytes, network, [x]);
      const got = tf.tensor(output.data as Float32Array, [...output.dims]);
      expect([...(output.dims.length === 4 ? got.transpose([0, 2, 3, 1]) : got).dataSync()]).toEqual(wanted);
      const { graph, functions } = readModel(bytes, "test");
      const name = layer.getClassName() !== "Dense" ? "LutConvInteger" : "LutMatMulInteger";
      const used = config.activation === "relu" ? `${name}Relu` : name;
      expect(graph!.node.filter(({ domain }) => domain === "ai.lutnn").map(({ opType }) => opType)).toEqual([
        used,
      ]);
      expect(functions.map((one) => one.name)).toEqual([...new Set([name, used, `${name}OfBytes`])]);
    },
  );

  it("holds its integers once for two calls, and no float centroids; fromOnnx refuses it", async () => {
    const input = tf.input({ shape: [6, 8, 2] });
    const shared = L.conv2d({ filters: 2, kernelSize: 3, padding: "same", name: "shared" });
    const outputs = shared.apply(shared.apply(input)) as tf.SymbolicTensor;
    const network = withLookups(tf.model({ inputs: input, outputs }), { shared: 9 }, inputs[0]);
    const { graph } = readModel(exportOnnx(network), "test");
    const types = Object.fromEntries(graph!.initializer.map(({ name, dataType }) => [name, dataType]));
    const [float, uint8, int8, int32] = [1, 2, 3, 6];
    expect(types).toMatchObject({
      "shared/inputScale": float,
      "shared/inputZeroPoint": uint8,
      "shared/centroids": int8,
      "shared/halfNorms": int32,
      "shared/table": int8,
      "shared/scale": float,
      "shared/bias": float,
    });
    await expect(fromOnnx(exportOnnx(network))).rejects.toThrow(/the network must be dense \(got a lookup\)/);
    expect(graph!.initializer.filter(({ name }) => name!.startsWith("shared/")).length).toBe(7);
  });
});
