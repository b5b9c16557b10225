import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { randomFloats } from "../random";

const { tf } = lutnn;
const L = tf.layers;
type Symbolic = lutnn.tf.SymbolicTensor;

const folder = mkdtempSync(join(tmpdir(), "lutnn-sequences-"));
afterAll(() => rmSync(folder, { recursive: true }));

const size = 180;
const labels = Int32Array.from({ length: size }, (_, n) => n % 3);
/** Waves of three frequencies, and tokens that are more often those of a class: something to learn. */
const data = new lutnn.datasets.ArrayExamples({
  name: "waves and words",
  inputs: {
    wave: {
      shape: [16, 2],
      values: randomFloats(size * 32, 1).map(
        (noise, i) => noise + Math.sin(((i % 32) * (1 + labels[Math.floor(i / 32)])) / 5),
      ),
    },
    words: {
      shape: [6],
      values: Int32Array.from(
        randomFloats(size * 6, 2),
        (value, i) => (Math.floor(Math.abs(value) * 1000) % 3) + 2 * labels[Math.floor(i / 6)],
      ),
    },
  },
  target: { kind: "class", classes: 3 },
  targets: labels,
});

/** A convolution of sequences and an attention over words, joined. */
function network(): lutnn.tf.LayersModel {
  const seeded = (seed: number) => ({ kernelInitializer: tf.initializers.glorotNormal({ seed }) });
  const dense = (units: number, name: string, x: Symbolic) =>
    L.dense({ units, name, ...seeded(units + name.length) }).apply(x) as Symbolic;
  const wave = tf.input({ shape: [16, 2], name: "wave" });
  const words = tf.input({ shape: [6], dtype: "int32", name: "words" });
  const heard = [8, 12].reduce(
    (x, filters, i) =>
      L.conv1d({
        filters,
        kernelSize: 3,
        strides: i + 1,
        padding: "same",
        activation: "relu",
        name: `conv${i}`,
        ...seeded(i),
      }).apply(x) as Symbolic,
    wave,
  );
  const embeddingsInitializer = tf.initializers.randomNormal({ seed: 5, stddev: 0.5 });
  const x = L.embedding({ inputDim: 7, outputDim: 8, embeddingsInitializer }).apply(words) as Symbolic;
  const [query, key, value] = ["query", "key", "value"].map((name) => dense(8, name, x));
  const read = lutnn.layers.attention({ numHeads: 2 }).apply([query, key, value]) as Symbolic;
  const said = L.layerNormalization().apply(dense(8, "out", read)) as Symbolic;
  const pooled = [heard, said].map((y) => L.globalAveragePooling1d({}).apply(y) as Symbolic);
  return tf.model({
    inputs: [wave, words],
    outputs: dense(3, "logits", L.concatenate().apply(pooled) as Symbolic),
  });
}

describe("a network of sequences and words", () => {
  let conversion: lutnn.Conversion;
  beforeAll(async () => {
    const model = network();
    await lutnn.fit(model, data, { epochs: 12 });
    conversion = lutnn.convert(model, { layers: ["conv1", "query", "key", "value", "out"] });
    await conversion.calibrate(data, { method: "kmeans" });
    await conversion.replaceAll();
    await conversion.fineTune(data, { epochs: 3 });
  });

  it("is learnt, converted, tuned and written to a file that computes the same", async () => {
    const dense = await lutnn.evaluate(conversion.original, data);
    const tuned = await conversion.evaluate(data);
    expect(dense.accuracy).toBeGreaterThan(80);
    expect(tuned.accuracy).toBeGreaterThan(dense.accuracy - 10);
    const path = join(folder, "waves.onnx");
    await conversion.save(path);
    const session = await lutnn.InferenceSession.create(path);
    const stored = await session.evaluate(data);
    expect(Math.abs(stored.accuracy - tuned.accuracy)).toBeLessThanOrEqual(200 / size);
    await session.release();
  });

  it("has its looked-up convolution and dense layers verified, native against TensorFlow.js", async () => {
    expect((await lutnn.inference.verifyNative(conversion.model, data.take(8))).ok).toBe(true);
  });
});
