import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { models, tf } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { readTensors } from "../../../kernel/lib/files/safetensors";

const python = resolve(import.meta.dirname, "../../../.venv/bin/python");
const folder = mkdtempSync(join(tmpdir(), "lutnn-weights-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Of float32 sums in another order. */
const rounding = 1e-4;

const floats = (path: string) => new Float32Array(new Uint8Array(readFileSync(path)).buffer);
const tensorsIn = (path: string) => readTensors(readFileSync(path), path).tensors;

/** Weights and outputs of a network that Python made; see torchvision.py. */
function made(network: "resnet18" | "vgg11", width: number, size: number) {
  const into = mkdtempSync(join(folder, `${network}-`));
  const script = join(import.meta.dirname, "torchvision.py");
  execFileSync(python, [script, into, network, String(width), String(size)]);
  const x = tf.transpose(tf.tensor4d(floats(join(into, "x.f32")), [2, 3, size, size]), [0, 2, 3, 1]);
  return { x, y: floats(join(into, "y.f32")), file: (name: string) => join(into, name) };
}

const options = (width: number, size: number) => ({ inputShape: [size, size, 3], numClasses: 10, width });

/** By the largest of what is wanted. */
function expectNear(got: ArrayLike<number>, wanted: Float32Array): void {
  const largest = Math.max(...wanted.map(Math.abs));
  wanted.forEach((value, i) => {
    expect(Math.abs(got[i] - value)).toBeLessThan(rounding * largest);
  });
}

describe("loadWeights", () => {
  it.each([
    ["resnet18", 4, 32],
    ["resnet18", 4, 64],
    ["vgg11", 4, 32],
    ["vgg11", 4, 64],
  ] as const)(
    "gives torchvision's %s of width %i its outputs on images of %i²",
    async (name, width, size) => {
      const { x, y, file } = made(name, width, size);
      const model = models[name](options(width, size));
      const { loaded, kept, unused } = await models.loadWeights(model, file("weights.safetensors"));
      expect(loaded).toContain("conv1_bn");
      if (name === "resnet18") {
        expect([kept, unused]).toEqual([[], ["bn1.num_batches_tracked"]]);
      } else {
        expect([kept, unused]).toEqual([["fc"], ["classifier.0.weight", "features.1.num_batches_tracked"]]);
        const head = { names: (layer: string) => (layer === "fc" ? "fc" : null) };
        expect((await models.loadWeights(model, file("head.safetensors"), head)).loaded).toEqual(["fc"]);
      }
      const got = (model.predict(x) as tf.Tensor).dataSync();
      expectNear(got, y);

      const again = models[name]({ ...options(width, size), seed: 3 });
      await models.saveWeights(model, file("again.safetensors"));
      await models.loadWeights(again, file("again.safetensors"));
      expect((again.predict(x) as tf.Tensor).dataSync()).toEqual(got);
      const written = new Map(
        tensorsIn(file("again.safetensors")).map((tensor) => [tensor.name, tensor.shape]),
      );
      for (const tensor of tensorsIn(file("weights.safetensors")))
        if (!unused.includes(tensor.name)) expect(written.get(tensor.name)).toEqual(tensor.shape);
    },
  );

  it("takes the initialisers of an ONNX file", async () => {
    const { x, y, file } = made("resnet18", 4, 32);
    const model = models.resnet18(options(4, 32));
    await models.loadWeights(model, file("network.onnx"));
    expectNear((model.predict(x) as tf.Tensor).dataSync(), y);
  });

  it("changes nothing unless all fits, and says what does not", async () => {
    const { file } = made("resnet18", 4, 32);
    const path = file("weights.safetensors");
    const wide = models.resnet18({ ...options(4, 32), numClasses: 12 });
    const head = () => wide.getLayer("fc").getWeights()[0].dataSync();
    const headBefore = head();
    const before = wide.getWeights().map((weight) => weight.dataSync());
    await expect(models.loadWeights(wide, path)).rejects.toThrow(
      /^loadWeights: the tensors in ".*weights.safetensors" must be those of resnet18 \(of another shape or type: fc.weight of 10×32 where the network has 12×32, fc.bias of 10 where the network has 12\); .*\{ keep: \[layer\] \}/,
    );
    expect(wide.getWeights().map((weight) => weight.dataSync())).toEqual(before);
    const { kept, unused } = await models.loadWeights(wide, path, { keep: ["fc"] });
    expect([kept, unused.sort()]).toEqual([["fc"], ["bn1.num_batches_tracked", "fc.bias", "fc.weight"]]);
    expect(head()).toEqual(headBefore);

    await expect(models.loadWeights(wide, path, { names: "own" })).rejects.toThrow(
      /missing: conv1_bn.weight, .* and \d+ more; .*without a place: bn1.weight, .* and \d+ more\); \{ names \}/,
    );
    await expect(models.loadWeights(wide, path, { keep: ["head"] })).rejects.toThrow(
      /^loadWeights: keep must name layers of resnet18 \(got head\)/,
    );
    const other = models.smallCnn({ inputShape: [8, 8, 1], numClasses: 10 });
    await expect(models.loadWeights(other, path, { names: "torchvision" })).rejects.toThrow(
      /names "torchvision" are those of models.resnet18 and models.vgg11 \(got a network called "/,
    );
    await expect(models.loadWeights(other, "none.safetensors")).rejects.toThrow(/^loadWeights: .*none/);
  });
});

describe("saveWeights", () => {
  it("writes weights of every class as PyTorch has them, and they come back", async () => {
    const make = () => {
      const words = tf.input({ shape: [5], name: "words" });
      const image = tf.input({ shape: [6, 6, 2], name: "image" });
      const named = (name: string) => ({
        name,
        kernelInitializer: "glorotNormal" as const,
        biasInitializer: "glorotNormal" as const,
      });
      const embedded = tf.layers.embedding({ inputDim: 7, outputDim: 4, name: "table" }).apply(words);
      const normed = tf.layers.layerNormalization({ name: "norm" }).apply(embedded);
      const sequence = tf.layers.conv1d({ filters: 3, kernelSize: 2, ...named("sequence") }).apply(normed);
      const filtered = tf.layers
        .depthwiseConv2d({ kernelSize: [3, 2], depthMultiplier: 2, name: "filters" })
        .apply(image);
      const shaped = tf.layers.prelu({ name: "slope" }).apply(filtered);
      const made = [sequence, shaped].map((value) => tf.layers.flatten().apply(value) as tf.SymbolicTensor);
      const joined = tf.layers.concatenate().apply(made);
      const outputs = tf.layers.dense({ units: 3, ...named("head") }).apply(joined) as tf.SymbolicTensor;
      return tf.model({ inputs: [words, image], outputs });
    };
    const [model, again] = [make(), make()];
    model.setWeights(
      model.getWeights().map((weight, i) => tf.randomNormal(weight.shape, 0, 1, "float32", i + 1)),
    );
    const path = join(folder, "every.safetensors");
    await models.saveWeights(model, path);
    const shapes = Object.fromEntries(tensorsIn(path).map(({ name, shape }) => [name, shape]));
    expect(shapes).toMatchObject({
      "table.weight": [7, 4],
      "norm.weight": [4],
      "sequence.weight": [3, 4, 2],
      "filters.weight": [4, 1, 3, 2],
      "slope.alpha": [4, 5, 4],
      "head.weight": [3, 4 * 3 + 4 * 5 * 4],
      "head.bias": [3],
    });
    const head = tensorsIn(path).find(({ name }) => name === "head.weight")!;
    const weight = model.getLayer("head").getWeights()[0];
    expect(head.values).toEqual(tf.transpose(weight).dataSync());
    await models.loadWeights(again, path);
    expect(again.getWeights().map((one) => one.dataSync())).toEqual(
      model.getWeights().map((one) => one.dataSync()),
    );
  });
});
