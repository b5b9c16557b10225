import { createRequire } from "node:module";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { inference, LutnnError, tf } from "lutnn";
import { describe, expect, it, vi } from "vitest";
import type { runFile } from "../../../kernel/lib/inference/fileValues";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import type { LookupLayer } from "../../../kernel/lib/layers/lookupLayer";
import { type ModelProto, ModelProtoSchema } from "../../../kernel/lib/onnx/onnx_pb";
import { randomFloats } from "../random";
import { manyKinds, manyLookups, randomWeights, withLookups } from "./lookupNetwork";

const { checkFile } = inference;
const L = tf.layers;

/** Largest difference of a call of these networks, relative to its largest output, when nothing is wrong. */
const rounding = 1e-5;

const image = tf.tensor(randomFloats(3 * 105, 31), [3, 5, 7, 3]);
const words = tf.tensor(randomFloats(3 * 24, 32), [3, 4, 6]);

/** The bytes of a network's file with something changed in it. */
function changedFile(network: tf.LayersModel, change: (model: ModelProto) => void): Uint8Array {
  const model = fromBinary(ModelProtoSchema, exportOnnx(network));
  change(model);
  return toBinary(ModelProtoSchema, model);
}

describe("checkFile", () => {
  const dense = manyKinds();
  const converted = withLookups(dense, manyLookups);

  it("finds the files of a dense and of a converted network to be right, call by call, and keeps no tensor", async () => {
    for (const network of [dense, converted]) {
      const before = tf.memory().numTensors;
      const check = await checkFile(exportOnnx(network), network, [image, words]);
      expect(tf.memory().numTensors).toBe(before);
      expect(check).toMatchObject({ ok: true, examples: 3, calls: 11, explained: 0, differs: null });
      expect(check.worst).toBeLessThan(rounding);
      expect(check.sentence).toMatch(/^the file equals the network on 3 examples in each of 11 calls/);
    }
  });

  it("finds one changed entry of a layer's table, of a weight, of a bias", async () => {
    for (const [name, byte] of [
      ["each/table", 0],
      ["wide/centroids", 3],
      ["classes/weight", 3],
      ["numbers/bias", 3],
    ] as const) {
      const bytes = changedFile(converted, ({ graph }) => {
        const found = graph!.initializer.find((one) => one.name === name);
        expect(found, name).toBeDefined();
        found!.rawData![byte] ^= 0x40;
      });
      const check = await checkFile(bytes, converted, [image, words]);
      expect(check, name).toMatchObject({ ok: false });
      expect(check.sentence, name).toMatch(/the file was changed/);
    }
  });

  it("finds exchanged outputs, and an output that is missing", async () => {
    const swapped = tf.model({ inputs: dense.inputs, outputs: [dense.outputs[1], dense.outputs[0]] });
    expect(await checkFile(exportOnnx(swapped), dense, [image, words])).toMatchObject({ ok: false });
    const half = tf.model({ inputs: dense.inputs, outputs: dense.outputs[0] });
    expect((await checkFile(exportOnnx(half), dense, [image, words])).sentence).toBe(
      "the file must have the network's 2 outputs (got 1)",
    );
  });

  it("says so when ONNX Runtime refuses the file", async () => {
    const bytes = changedFile(dense, ({ graph }) => {
      graph!.node[0].opType = "NoSuchThing";
    });
    const check = await checkFile(bytes, dense, [image, words]);
    expect(check).toMatchObject({ ok: false, differs: "file" });
    expect(check.sentence).toMatch(/ONNX Runtime must accept/);
  });

  it("finds a file that ONNX Runtime's optimiser makes wrong, or cannot run", async () => {
    const inside = createRequire(import.meta.url)("../../../kernel/lib/inference/fileValues") as {
      runFile: typeof runFile;
    };
    const { runFile: own } = inside;
    const bytes = exportOnnx(dense);
    const wrong = vi.spyOn(inside, "runFile").mockImplementation(async (file, inputs, optimize) => {
      const outputs = await own(file, inputs, optimize);
      return optimize ? outputs.map((y) => tf.tidy(() => y.mul(1.01))) : outputs;
    });
    expect(await checkFile(bytes, dense, [image, words])).toMatchObject({
      ok: false,
      sentence: expect.stringMatching(/^ONNX Runtime's optimiser makes the file's output classes differ by/),
    });
    wrong.mockImplementation(async (file, inputs, optimize) => {
      if (optimize) throw new LutnnError("InferenceSession: ONNX Runtime must accept model");
      return own(file, inputs, optimize);
    });
    expect(await checkFile(exportOnnx(converted), converted, [image, words])).toMatchObject({
      ok: false,
      sentence: "InferenceSession: ONNX Runtime must accept model",
    });
    wrong.mockRestore();
  });

  it("names the first layer that the exporter writes wrongly", async () => {
    const bytes = exportOnnx(dense);
    // The network's layer now computes something else than what both files hold.
    const layer = new NetworkGraph(dense).layers.get("shared")!;
    const call = vi.spyOn(layer, "call").mockImplementation((x) => tf.relu6(tf.mul(x as tf.Tensor, 1.0001)));
    try {
      const check = await checkFile(bytes, dense, [image, words]);
      expect(check).toMatchObject({ ok: false, differs: "shared" });
      expect(check.sentence).toMatch(
        /^the file differs from the network at shared \(Conv2D\): by .* on the same inputs; leave this layer out/,
      );
      vi.stubEnv("ONEDNN_DEFAULT_FPMATH_MODE", "BF16");
      const rounded = await checkFile(bytes, dense, [image, words]);
      expect(rounded.sentence).toContain("may be rounded here, as ONEDNN_DEFAULT_FPMATH_MODE=BF16 asks");
      vi.stubEnv("ONEDNN_DEFAULT_FPMATH_MODE", "strict");
      expect((await checkFile(bytes, dense, [image, words])).sentence).toContain("leave this layer out");
    } finally {
      vi.unstubAllEnvs();
      call.mockRestore();
    }
  });

  it("finds a layer whose outputs are a thousandth off, and lets a millionth pass", async () => {
    const bytes = exportOnnx(dense);
    const layer = new NetworkGraph(dense).layers.get("each")!;
    const own = layer.call.bind(layer);
    const scaled = (factor: number) =>
      vi.spyOn(layer, "call").mockImplementation((x, kwargs) => tf.mul(own(x, kwargs) as tf.Tensor, factor));
    for (const [factor, ok] of [
      [1.001, false],
      [1 + 1e-6, true],
    ] as const) {
      const spy = scaled(factor);
      expect(await checkFile(bytes, dense, [image, words]), `${factor}`).toMatchObject({ ok });
      spy.mockRestore();
    }
  });

  it("names a lookup whose network holds another table than its file, though centroids be nearly tied everywhere", async () => {
    const input = tf.input({ shape: [6] });
    const plain = randomWeights(
      tf.model({
        inputs: input,
        outputs: L.dense({ units: 4, name: "d" }).apply(input) as tf.SymbolicTensor,
      }),
    );
    const model = withLookups(plain, { d: 3 });
    const layer = model.getLayer("d") as LookupLayer;
    const lookup = layer.getLookup();
    lookup.centroids.fill(0.5); // every choice is a tie
    layer.setLookup(lookup);
    const x = [tf.tensor(randomFloats(30, 5), [5, 6])];
    const bytes = exportOnnx(model);
    expect(await checkFile(bytes, model, x)).toMatchObject({ ok: true });
    const spy = vi.spyOn(layer, "call").mockImplementation((y) => tf.ones([(y as tf.Tensor).shape[0], 4]));
    expect(await checkFile(bytes, model, x)).toMatchObject({ ok: false, differs: "d", explained: 0 });
    spy.mockRestore();
  });

  it("passes a lookup whose near tie two runtimes decide differently, and counts the row", async () => {
    const input = tf.input({ shape: [1] });
    const plain = randomWeights(
      tf.model({
        inputs: input,
        outputs: L.dense({ units: 4, name: "d" }).apply(input) as tf.SymbolicTensor,
      }),
    );
    const model = withLookups(plain, { d: 1 });
    const layer = model.getLayer("d") as LookupLayer;
    const lookup = layer.getLookup();
    lookup.centroids.set([-1, 1, 7, 8, 9]);
    layer.setLookup(lookup);
    const x = [tf.tensor([0, 0.5, -0.5], [3, 1])]; // the first lies between two centroids
    const bytes = exportOnnx(model);
    const other = layer.call(tf.tensor([1, 0.5, -0.5], [3, 1]), {});
    const spy = vi.spyOn(layer, "call").mockReturnValue(other);
    expect(await checkFile(bytes, model, x)).toMatchObject({ ok: true, explained: 1 });
    spy.mockRestore();
  });

  it.each(["sigmoid", "swish", "gelu", "gelu_new"] as const)(
    "does not take the rounding of a %s near 0 for a fault, nor a wrong weight in front of it for rounding",
    async (activation) => {
      for (const at of [-15, -12, -9, -6, -4, -1, -0.01]) {
        const input = tf.input({ shape: [4] });
        const layer = L.dense({ units: 4, activation: activation as "sigmoid", name: "near" });
        const network = tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
        layer.setWeights([tf.eye(4), tf.zeros([4])]);
        const x = tf.tensor2d(
          Array.from({ length: 64 * 4 }, (_, i) => at * (1 + 0.1 * Math.sin(1.7 * i))),
          [64, 4],
        );
        const { ok, sentence } = await checkFile(exportOnnx(network), network, [x]);
        expect(ok, `${at}: ${sentence}`).toBe(true);
      }
      const input = tf.input({ shape: [4] });
      const layer = L.dense({ units: 4, activation: activation as "sigmoid", name: "near" });
      const network = tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
      layer.setWeights([tf.eye(4), tf.fill([4], -4)]);
      const bytes = exportOnnx(network);
      layer.setWeights([tf.eye(4), tf.fill([4], -4.004)]);
      expect((await checkFile(bytes, network, [tf.zeros([2, 4])])).ok).toBe(false);
    },
  );

  it("does not take cancellation for a fault, nor a fault for cancellation", async () => {
    const input = tf.input({ shape: [40] });
    const layer = L.dense({ units: 2, name: "d" });
    const model = tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
    const weight = randomFloats(80, 9).map((value, i) => (i < 40 ? value * 1e4 : 0));
    for (let i = 0; i < 40; i++) weight[40 + i] = -weight[i]; // sums to nothing on equal inputs
    layer.setWeights([tf.tensor(weight, [40, 2]), tf.zeros([2])]);
    const x = tf.fill([2, 40], 1 / 3);
    const bytes = exportOnnx(model);
    expect(await checkFile(bytes, model, [x])).toMatchObject({ ok: true });
    const spy = vi.spyOn(layer, "call").mockImplementation(() => tf.fill([2, 2], 0.5));
    expect(await checkFile(bytes, model, [x])).toMatchObject({ ok: false, differs: "d" });
    spy.mockRestore();
  });

  it("finds the same when values do not fit into memory and calls are looked at one by one", async () => {
    const bytes = exportOnnx(converted);
    const at = (bytesAtOnce: number) => checkFile(bytes, converted, [image, words], { bytesAtOnce });
    const before = tf.memory().numTensors;
    expect(await at(1)).toEqual(await at(1e9));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("asks for a tensor for each input", async () => {
    await expect(checkFile(exportOnnx(dense), dense, [image])).rejects.toThrow(
      /each of the network's 2 inputs \(got 1\); give image, words/,
    );
  });
});
