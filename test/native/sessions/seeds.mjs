// Small converted networks as files, between them with every operator of ours, to be spoilt.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const require = createRequire(import.meta.url);
process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
const lutnn = require(join(import.meta.dirname, "../../../kernel"));
const { tf, models, datasets } = lutnn;

const size = 24;

/** A chain with pooling between lookups, GELU, a 1-D convolution: what the networks of the paper have not. */
function mixed() {
  const conv = (filters, more) =>
    tf.layers.conv2d({ kernelSize: 3, padding: "same", activation: "relu", filters, ...more });
  const x = tf.input({ shape: [8, 8, 4], name: "x" });
  let y = conv(8).apply(conv(8).apply(x));
  y = tf.layers.maxPooling2d({ poolSize: 2, strides: 2 }).apply(y);
  y = conv(8, { strides: 2 }).apply(y);
  y = tf.layers.add().apply([y, conv(8, { activation: "linear" }).apply(y)]);
  y = tf.layers.reshape({ targetShape: [4, 8] }).apply(y);
  y = tf.layers.conv1d({ filters: 8, kernelSize: 3, padding: "same" }).apply(y);
  y = tf.layers.dense({ units: 8, activation: "gelu" }).apply(y);
  y = tf.layers.dense({ units: 4 }).apply(y);
  return tf.model({ inputs: x, outputs: tf.layers.flatten().apply(y) });
}

const tokens = 6;
const encoder = {
  depth: 2,
  width: 8,
  numHeads: 2,
  feedForwardWidth: 16,
  vocabularySize: 20,
  numPositions: 8,
  sequenceLength: tokens,
  pooling: "mean",
};

const floats = (length, scale = 1) => Float32Array.from({ length }, (_, i) => scale * Math.sin(12.9 * i * i));
const targets = { target: { kind: "values", length: 1 }, targets: floats(size) };
const pictures = (shape) => ({
  inputs: { x: { shape, values: floats(size * shape.reduce((a, b) => a * b)) } },
});
const sentences = () => {
  const values = (of) => Int32Array.from({ length: size * tokens }, (_, i) => of(i));
  const input = (of) => ({ shape: [tokens], values: values(of) });
  return {
    inputs: {
      tokens: input((i) => (7 * i) % encoder.vocabularySize),
      segments: input(() => 0),
      mask: input((i) => (i % tokens < 2 + (i % 5) ? 1 : 0)),
    },
  };
};

const networks = {
  mixed: { make: mixed, examples: pictures([8, 8, 4]) },
  resnet: {
    make: () => models.resnet({ inputShape: [8, 8, 3], numClasses: 1, depth: 8, width: 4 }),
    examples: pictures([8, 8, 3]),
  },
  encoder: { make: () => models.bert(encoder), length: 4, examples: sentences(), isEncoder: true },
};

/** All of the files, by name; `folder` is where they are written first. */
export async function seedFiles(folder) {
  mkdirSync(folder, { recursive: true });
  const files = new Map();
  for (const [name, { make, length, examples, isEncoder }] of Object.entries(networks))
    for (const profile of ["paper", "plus"]) {
      const model = make();
      const layers = isEncoder ? models.bertLayers(model) : undefined;
      const data = new datasets.ArrayExamples({ name, ...examples, ...targets });
      const conversion = lutnn.convert(model, {
        profile,
        layers,
        ...(length ? { subvectorLength: length } : {}),
        task: "regression",
      });
      await conversion.calibrate(data, { seed: 0, method: "kmeans" });
      await conversion.replaceAll({ method: "kmeans" });
      for (const remainder of profile === "plus" ? ["float32", "int8"] : ["float32"]) {
        const path = join(folder, `${name}-${profile}-${remainder}.onnx`);
        await conversion.save(path, { check: false, remainder });
        files.set(basename(path, ".onnx"), readFileSync(path));
      }
    }
  return files;
}
