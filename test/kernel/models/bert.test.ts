import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert, fromOnnx, LutnnError, layers, models, taskOf, tf } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { readTensors, writeSafetensors } from "../../../kernel/lib/files/safetensors";
import { expectSameFile, randomWeights } from "../onnx/sameOutputs";

/** Between float32 and numpy's float64, over outputs of about 1: two encoder layers of sums in another order. */
const tolerance = 1e-4;
const python = join(import.meta.dirname, "../../../.venv/bin/python");
const folder = mkdtempSync(join(tmpdir(), "lutnn-bert-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** No size is another's, so that axes cannot be mistaken. */
const sizes = {
  depth: 2,
  width: 12,
  numHeads: 3,
  feedForwardWidth: 20,
  vocabularySize: 31,
  numPositions: 9,
  numSegments: 2,
  sequenceLength: 7,
};
const real = [7, 4, 1];
const inputs = {
  tokens: real.map((_, n) => Array.from({ length: 7 }, (_, i) => (n * 11 + i * 5) % 31)),
  segments: real.map((_, n) => Array.from({ length: 7 }, (_, i) => (i > n ? 1 : 0))),
  mask: real.map((count) => Array.from({ length: 7 }, (_, i) => (i < count ? 1 : 0))),
};
const feeds = () => Object.values(inputs).map((rows) => tf.tensor2d(rows, undefined, "int32"));

/** What numpy computes from the files in the folder. */
const byNumpy = (prefix: string): Record<"hidden" | "mean" | "pooled", number[][]> =>
  JSON.parse(
    execFileSync(python, [join(import.meta.dirname, "bert.py"), folder, JSON.stringify(inputs), prefix], {
      encoding: "utf8",
    }),
  );

function expectNear(got: tf.Tensor, wanted: number[][] | number[][][], places?: number[]): void {
  const [a, b] = [got, tf.tensor(wanted)];
  expect(a.shape).toEqual(b.shape);
  const difference = tf.abs(tf.sub(a, b));
  const counted = places ? tf.mul(difference, tf.tensor(places, [...a.shape.slice(0, 2), 1])) : difference;
  expect(tf.max(tf.abs(b)).dataSync()[0]).toBeGreaterThan(0.1);
  expect(tf.max(counted).dataSync()[0]).toBeLessThan(tolerance);
}

/** Rewrites the file's tensors. */
function change(rewrite: (tensors: ReturnType<typeof readTensors>["tensors"]) => typeof tensors): string {
  const path = join(folder, "model.safetensors");
  const { tensors } = readTensors(readFileSync(path), path);
  writeFileSync(path, writeSafetensors(rewrite(tensors), { format: "pt" }));
  return folder;
}

describe("BERT", () => {
  it("computes what numpy does from the same weights, by each pooling", async () => {
    const full = randomWeights(models.bert({ ...sizes }));
    await models.saveBert(full, folder);
    const wanted = byNumpy("");
    expectNear(full.predict(feeds()) as tf.Tensor, wanted.pooled);
    const mean = await models.loadBert(folder, { sequenceLength: 7, pooling: "mean" });
    expect([mean.unused, mean.fresh]).toEqual([["pooler.dense.weight", "pooler.dense.bias"], []]);
    expectNear(mean.model.predict(feeds()) as tf.Tensor, wanted.mean);
    const none = await models.loadBert(folder, { sequenceLength: 7, pooling: "none" });
    expectNear(none.model.predict(feeds()) as tf.Tensor, wanted.hidden as never, inputs.mask.flat());
  });

  it("gives its weights to a file and takes them back, with a classifier under the prefix bert.", async () => {
    const model = randomWeights(models.bert({ ...sizes, outputs: 3 }));
    await models.saveBert(model, folder);
    const wanted = byNumpy("bert.");
    const again = await models.loadBert(folder, { sequenceLength: 7, outputs: 3 });
    expect([again.unused, again.fresh]).toEqual([[], []]);
    const outputs = [model, again.model].map((one) => (one.predict(feeds()) as tf.Tensor).dataSync());
    expect(outputs[1]).toEqual(outputs[0]);
    const [kernel, bias] = model.getLayer("classifier").getWeights();
    const logits = tf.add(tf.matMul(tf.tensor2d(wanted.pooled), kernel), bias);
    expectNear(again.model.predict(feeds()) as tf.Tensor, logits.arraySync() as number[][]);
    const shorter = await models.loadBert(folder, { sequenceLength: 5, pooling: "mean" });
    expect(shorter.unused).toHaveLength(4);
  });

  it("reads the names of old checkpoints, half precision, and begins a missing classifier by its seed", async () => {
    await models.saveBert(randomWeights(models.bert({ ...sizes })), folder);
    const wanted = byNumpy("");
    change((tensors) =>
      tensors.map(({ name, shape, values }) => ({
        name: `bert.${name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")}`,
        shape,
        values,
      })),
    );
    const { model } = await models.loadBert(folder, { sequenceLength: 7 });
    expectNear(model.predict(feeds()) as tf.Tensor, wanted.pooled);
    change((tensors) => tensors.map((one) => ({ ...one, half: true })));
    const half = await models.loadBert(folder, { sequenceLength: 7, outputs: 2, seed: 5 });
    expect(half.fresh).toEqual(["classifier"]);
    const other = await models.loadBert(folder, { sequenceLength: 7, outputs: 2, seed: 6 });
    const [a, b] = [half, other].map((one) => one.model.getLayer("classifier").getWeights()[0].dataSync());
    expect(a).not.toEqual(b);
  });

  it("names every tensor that is missing, of another shape, unknown, or there twice", async () => {
    await models.saveBert(models.bert({ ...sizes }), folder);
    const norm = "encoder.layer.1.output.LayerNorm.bias";
    change(([first, second, ...rest]) => [
      { ...first, shape: [12, 31] },
      second,
      ...rest.filter(({ name }) => name !== norm),
      { name: "decoder.weight", shape: [2], values: new Float32Array(2) },
      { ...second, name: `bert.${second.name}` },
      { name: "embeddings.position_ids", shape: [1, 9], values: new BigInt64Array(9) },
    ]);
    const error = await models.loadBert(folder, { sequenceLength: 7 }).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(LutnnError);
    const { message } = error as LutnnError;
    for (const part of [
      `missing: ${norm};`,
      "embeddings.word_embeddings.weight of 12×31 where the network has 31×12;",
      "not known: decoder.weight;",
      "twice, with and without the prefix: bert.embeddings.position_embeddings.weight)",
    ])
      expect(message).toContain(part);
    expect(message).not.toContain("position_ids");
  });

  it.each([
    [{ hidden_act: "silu" }, /config\.json of a BERT encoder \(hidden_act/],
    [{ model_type: "roberta" }, /\(model_type/],
    [{ position_embedding_type: "relative_key" }, /\(position_embedding_type/],
    [{ num_attention_heads: 5 }, /numHeads must divide the width \(got 5 heads and 12\)/],
    [{ hidden_size: 24 }, /of another shape or type: embeddings.word_embeddings.weight of 31×12/],
  ])("refuses a config.json with %j", async (other, message) => {
    await models.saveBert(models.bert({ ...sizes }), folder);
    const path = join(folder, "config.json");
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, "utf8")), ...other }));
    await expect(models.loadBert(folder, { sequenceLength: 7 })).rejects.toThrow(message);
  });

  it("has dropout while it trains, and nothing of it elsewhere", async () => {
    const options = { ...sizes, outputs: 2, pooling: "mean" } as const;
    const plain = randomWeights(models.bert(options));
    const model = models.bert({ ...options, dropout: 0.2, seed: 3 });
    model.setWeights(plain.getWeights());
    const dropouts = model.layers.filter((layer) => layer instanceof layers.SeededDropout);
    expect(dropouts.map(({ name }) => name)).toEqual([
      "embeddings/dropout",
      "encoder0/attention/dropout",
      "encoder0/dropout",
      "encoder1/attention/dropout",
      "encoder1/dropout",
      "dropout",
    ]);
    expect(dropouts.map(({ rate, seed }) => [rate, seed])).toEqual(Array(6).fill([0.2, 3]));
    const given = (one: tf.LayersModel, training: boolean) =>
      [...(one.apply(feeds(), { training }) as tf.Tensor).dataSync()].join();
    expect(given(model, false)).toBe(given(plain, false));
    expect(given(model, true)).not.toBe(given(plain, true));
    expect(given(model, true)).not.toBe(given(model, true));
    await expectSameFile(model, feeds());
    const [a, b] = [model, plain].map((one) =>
      convert(one, { layers: models.bertLayers(one), subvectorLength: 4 }),
    );
    expect(a.layers.rows).toEqual(b.layers.rows);
    await models.saveBert(model, folder);
    const again = await models.loadBert(folder, {
      sequenceLength: 7,
      outputs: 2,
      pooling: "mean",
      dropout: 0.2,
      seed: 3,
    });
    expect(again.fresh).toEqual([]);
    expect(given(again.model, false)).toBe(given(plain, false));
    const fresh = models.bert({ ...options, dropout: 0.2, seed: 3 });
    fresh.setWeights(plain.getWeights());
    expect(given(again.model, true)).toBe(given(fresh, true));
    for (const dropout of [1, -0.1, Number.NaN])
      expect(() => models.bert({ ...sizes, dropout })).toThrow(/dropout must be a number from 0, below 1/);
  });

  it("refuses sizes that do not fit, and layers that there are not", () => {
    expect(() => models.bert({ ...sizes, sequenceLength: 10 })).toThrow(
      /at most numPositions \(got 10 and 9\)/,
    );
    expect(() => models.bert({ ...sizes, depth: 0 })).toThrow(/depth must be a positive integer \(got 0\)/);
    expect(() => models.bert({ ...sizes, pooling: "max" as never })).toThrow(/pooling must be/);
    const model = models.bert({ ...sizes });
    expect(() => models.bertLayers(model, 3)).toThrow(/last must be from 1 to 2/);
    expect(() => models.bertLayers(models.smallCnn({ inputShape: [8, 8, 1], numClasses: 2 }))).toThrow(
      /must be one that models.bert/,
    );
  });

  it("is written to a file that computes the same, with padding and converted, and read back from it", async () => {
    for (const pooling of ["pooler", "mean", "none"] as const) {
      const model = randomWeights(models.bert({ ...sizes, pooling, outputs: 2 }));
      const bytes = await expectSameFile(model, feeds());
      const again = await fromOnnx(bytes);
      const [a, b] = [model, again].map((one) => one.predict(feeds()) as tf.Tensor);
      expect(tf.max(tf.abs(tf.sub(a, b))).dataSync()[0], pooling).toBeLessThan(tolerance);
    }
  });

  it("tells its task by its end: logits or numbers, and a mean of what a softmax gives for each real position", () => {
    expect(taskOf(models.bert({ ...sizes, outputs: 2 })).description).toMatch(
      /^one of 2 classes or .*classifier/,
    );
    const x = tf.input({ shape: [5, 4] });
    const mask = tf.input({ shape: [5], dtype: "int32" });
    const shares = tf.layers.dense({ units: 3, activation: "softmax", name: "shares" }).apply(x);
    const mean = new layers.MaskedMean().apply([shares as tf.SymbolicTensor, mask]) as tf.SymbolicTensor;
    const model = tf.model({ inputs: [x, mask], outputs: mean });
    expect(taskOf(model).description).toBe("one of 3 classes (softmax of layer shares)");
  });

  it("has the layers that are published as replaced, of the last encoders or all", () => {
    const model = models.bert({ ...sizes, outputs: 2 });
    const last = models.bertLayers(model, 1);
    expect(last).toEqual([
      "encoder1/attention/query",
      "encoder1/attention/key",
      "encoder1/attention/value",
      "encoder1/attention/output",
      "encoder1/feedForward1",
      "encoder1/feedForward2",
    ]);
    expect(models.bertLayers(model)).toHaveLength(12);
    const conversion = convert(model, {
      layers: last,
      subvectorLength: Object.fromEntries(last.map((name) => [name, 4])),
    });
    expect([...conversion.layers].map(({ name }) => name)).toEqual(last);
  });
});
