import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromOnnx, LutnnError, tf } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { compareWithFile } from "../../../../kernel/lib/inference/compareWithFile";
import { importNetwork } from "../../../../kernel/lib/models/onnx/importNetwork";
import { readOnnxFile } from "../../../../kernel/lib/models/onnx/readFile";
import { expectSameFile, randomInputs } from "../../onnx/sameOutputs";
import { writeCases } from "./writeCases";

const folder = mkdtempSync(join(tmpdir(), "lutnn-cases-"));
afterAll(() => rmSync(folder, { recursive: true }));
const cases = writeCases(folder);
const pathOf = (name: string) => join(folder, `${name}.onnx`);

/** Layers of a network by class. */
const classes = (network: tf.LayersModel): string[] => network.layers.map((layer) => layer.getClassName());

describe("fromOnnx builds a network that computes what ONNX Runtime does, and that is exported again, of", () => {
  it.each(cases.map(({ name, inputShape }) => [name, inputShape] as const))(
    "%s",
    async (name, inputShape) => {
      const before = tf.memory().numTensors;
      const network = await fromOnnx(pathOf(name), { inputShape });
      expect(tf.memory().numTensors - before, "tensors beside weights").toBe(network.weights.length);
      await expectSameFile(network, randomInputs(network));
      network.dispose();
    },
  );
});

describe("the network", () => {
  const built = (name: string) => fromOnnx(pathOf(name));

  it("has images channels last, as the edges tell, whatever the file's order", async () => {
    expect((await built("conv_same")).inputs[0].shape).toEqual([null, 7, 9, 4]);
    expect((await built("channels_last_file")).inputs[0].shape).toEqual([null, 7, 9, 4]);
    expect((await built("scaled_before_transposed")).inputs[0].shape).toEqual([null, 7, 9, 4]);
    expect((await built("image_without_channels")).inputs[0].shape).toEqual([null, 2, 3, 5]);
    expect((await built("conv1d")).inputs[0].shape).toEqual([null, 4, 9]);
  });

  it("has one layer where exporters write several nodes", async () => {
    for (const [name, wanted] of [
      ["hard_swish_torch", ["InputLayer", "HardSwish"]],
      ["hard_swish_by_sigmoid", ["InputLayer", "HardSwish"]],
      ["swish_paddle", ["InputLayer", "Activation"]],
      ["gelu_erf_torch", ["InputLayer", "Activation"]],
      ["gelu_tanh_tf", ["InputLayer", "Activation"]],
      ["mish_written_out", ["InputLayer", "Activation"]],
      ["layer_norm_written_out", ["InputLayer", "LayerNormalization"]],
      ["softmax_written_out", ["InputLayer", "Softmax"]],
      ["matmul_bias", ["InputLayer", "Dense"]],
      ["paddle_bias", ["InputLayer", "Conv2D"]],
      ["one_hot_by_comparison", ["InputLayer", "Embedding"]],
    ] as const)
      expect(classes(await built(name)), name).toEqual(wanted);
  });

  it("moves no axis where the file moves none: only its own padding and windows stand in a convolution's way", async () => {
    for (const name of ["two_branches", "excitation", "batch_norm_opset_14", "concat_space"])
      expect(classes(await built(name)), name).not.toContain("Permute");
  });

  it("calls layers after their weights, else their nodes, each name once", async () => {
    const network = await built("bert");
    const names = network.layers.map(({ name }) => name);
    expect(names).toContain("embeddings.word_embeddings");
    expect(names).toContain("pooler.dense");
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[\w.-]+$/);
  });

  it("is trained: every weight gets a gradient", async () => {
    for (const name of ["bert", "excitation_by_mean", "folded_norm", "prelu_channels", "conv_groups"]) {
      const network = await built(name);
      const inputs = randomInputs(network);
      const { grads } = tf.variableGrads(
        () => tf.sum(tf.square(network.apply(inputs[0]) as tf.Tensor)) as tf.Scalar,
      );
      const trained = network.trainableWeights.map((weight) => weight.name).length;
      const moved = Object.values(grads).filter((one) => one && one.abs().max().dataSync()[0] > 0);
      expect(moved.length, name).toBe(trained);
    }
  });

  it("takes any number of examples where the file is fixed to one", async () => {
    const network = await built("reshape_fixed_batch");
    expect((network.predict(tf.ones([5, 7, 9, 4])) as tf.Tensor).shape).toEqual([5, 105]);
  });

  it("ends where outputs says", async () => {
    const network = await fromOnnx(pathOf("flatten_dense"), {
      outputs: [nodeOutput("flatten_dense", "Conv")],
    });
    expect(network.outputs[0].shape).toEqual([null, 5, 7, 3]);
  });

  it("comes of bytes as of a path", async () => {
    const bytes = readFileSync(pathOf("gemm"));
    expect((await fromOnnx(bytes)).outputs[0].shape).toEqual([null, 5]);
    const copy = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
    expect((await fromOnnx(copy)).outputs[0].shape).toEqual([null, 5]);
  });
});

/** The first output of the first node of that operator. */
function nodeOutput(name: string, opType: string): string {
  const { model } = readOnnxFile(readFileSync(pathOf(name)), pathOf(name));
  return model.graph!.node.find((node) => node.opType === opType)!.output[0];
}

describe("the check at the door", () => {
  it.each(["conv_same", "softmax_last", "two_outputs"])(
    "sees a weight, or anything, that is not the file's: %s",
    async (name) => {
      const bytes = readFileSync(pathOf(name));
      const other = readFileSync(pathOf(name === "conv_same" ? "conv_valid" : name));
      const imported = importNetwork(readOnnxFile(other, null).model, "fromOnnx");
      const ends = imported.outputs.map(
        ({ tensor }) => tf.layers.rescaling({ scale: 1.001 }).apply(tensor) as tf.SymbolicTensor,
      );
      imported.outputs = imported.outputs.map((end, i) => ({ ...end, tensor: ends[i] }));
      imported.logits = [];
      await expect(compareWithFile("fromOnnx", imported, bytes)).rejects.toThrow(LutnnError);
    },
  );
});
