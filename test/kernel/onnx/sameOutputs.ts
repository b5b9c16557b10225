import { tf } from "lutnn";
import * as ort from "onnxruntime-node";
import { expect } from "vitest";
import { type ExportOptions, exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { randomFloats } from "../random";

/** Between tf.js and ONNX Runtime, relative to the largest output: sums in another order, functions rounded otherwise. */
export const tolerance = 2e-5;

/** Gives every layer weights that tell axes apart: random, those of batch norms' variances above 0. */
export function randomWeights(model: tf.LayersModel, seed = 1): tf.LayersModel {
  let count = seed;
  for (const layer of model.layers) {
    if (layer instanceof tf.LayersModel) randomWeights(layer, count++);
    layer.setWeights(
      layer.weights.map(({ shape, name }) => {
        const size = shape.reduce<number>((product, length) => product * (length ?? 1), 1);
        const values = randomFloats(size, count++).map((value) =>
          name.includes("variance") ? 0.5 + Math.abs(value) : value * 0.5,
        );
        return tf.tensor(values, shape as number[]);
      }),
    );
  }
  return model;
}

/** Images of tf.js (N, h, w, c) as the file has them; other tensors stay. */
const asFile = (x: tf.Tensor): tf.Tensor => (x.rank === 4 ? x.transpose([0, 3, 1, 2]) : x);

/** Random inputs of a network: `size` examples, indices below `below` where it takes integers. */
export function randomInputs(model: tf.LayersModel, size = 3, below = 5): tf.Tensor[] {
  return model.inputs.map(({ shape, dtype }, i) => {
    const dims = [size, ...(shape.slice(1) as number[])];
    const values = randomFloats(
      dims.reduce((product, length) => product * length, 1),
      100 + i,
    );
    if (dtype === "float32") return tf.tensor(values, dims);
    return tf.tensor(
      values.map((value) => Math.floor(Math.abs(value) * 1000) % below),
      dims,
      "int32",
    );
  });
}

/** A file's outputs for a network's inputs, by name. */
export async function runOnnx(
  bytes: Uint8Array,
  model: tf.LayersModel,
  inputs: tf.Tensor[],
): Promise<Record<string, ort.Tensor>> {
  const session = await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 });
  const feeds = inputs.map((input, i) => {
    const x = asFile(input);
    const name = inputs.length === 1 ? "input" : model.inputNames[i];
    const data = x.dataSync() as Float32Array | Int32Array;
    return [name, new ort.Tensor(input.dtype === "int32" ? "int32" : "float32", data.slice(), x.shape)];
  });
  try {
    return (await session.run(Object.fromEntries(feeds))) as Record<string, ort.Tensor>;
  } finally {
    await session.release();
  }
}

/** Expects an output of a file to be a tensor of tf.js. */
export function expectSame(got: ort.Tensor, wanted: tf.Tensor, what = ""): void {
  const y = asFile(wanted);
  expect([...got.dims], `${what} shape`).toEqual(y.shape);
  const [a, b] = [got.data as Float32Array, y.dataSync() as Float32Array];
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
  const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
  expect(largest, `${what} is more than zeros`).toBeGreaterThan(1e-3);
  expect(worst / largest, `${what}: largest difference`).toBeLessThan(tolerance);
}

/** Exports a network with random weights and expects the file to compute what tf.js does. Returns the bytes. */
export async function expectSameFile(
  model: tf.LayersModel,
  inputs = randomInputs(model),
  options: ExportOptions = {},
): Promise<Uint8Array> {
  const bytes = exportOnnx(model, options);
  const made = model.predict(inputs.length === 1 ? inputs[0] : inputs) as tf.Tensor | tf.Tensor[];
  const wanted = Array.isArray(made) ? made : [made];
  const got = await runOnnx(bytes, model, inputs);
  const names = options.outputNames ?? (wanted.length === 1 ? ["output"] : model.outputNames);
  wanted.forEach((y, i) => {
    expectSame(got[names[i]], y, names[i]);
  });
  return bytes;
}
