import { type CalibrationMethod, type Conversion, convert, datasets, layers, plan, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { rowsOfKMeans } from "../networks/capture";
import { randomFloats } from "../random";

const L = tf.layers;
const [examples, length, width] = [40, 4, 6];
/** Every example has from one to four real positions. */
const mask = Int32Array.from({ length: examples * length }, (_, i) =>
  i % length <= Math.floor(i / length) % length ? 1 : 0,
);
const real = mask.reduce((sum, one) => sum + one, 0);

/** Sequences that differ in what stands at padded positions alone. */
const data = (padding: number) =>
  new datasets.ArrayExamples({
    name: "padded",
    inputs: {
      x: {
        shape: [length, width],
        values: randomFloats(examples * length * width, 1).map((value, i) =>
          mask[Math.floor(i / width)] ? value : padding * value,
        ),
      },
    },
    target: { kind: "tokens", length, classes: 3 },
    targets: Int32Array.from(mask, (_, i) => i % 3),
    mask,
  });

function network(): tf.LayersModel {
  const input = tf.input({ shape: [length, width] });
  const dense = (units: number, activation: "relu" | "linear", name: string, seed: number) =>
    L.dense({ units, activation, name, kernelInitializer: tf.initializers.heNormal({ seed }) });
  let x = input;
  for (const [i, name] of ["first", "second"].entries())
    x = dense(8, "relu", name, i + 1).apply(x) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: dense(3, "linear", "head", 9).apply(x) as tf.SymbolicTensor });
}

const converted = (model: tf.LayersModel): Conversion =>
  convert(model, {
    layers: ["first", "second"],
    numCentroids: 8,
    subvectorLength: { first: 2, second: 2 },
    task: "tokens",
  });
/** What the network gives for the real positions. */
function realOutputs(conversion: Conversion): number[][] {
  const { values } = data(0).arrays.inputs.x;
  return tf.tidy(() => {
    const y = conversion.model.predict(tf.tensor(values, [examples, length, width])) as tf.Tensor;
    const rows = y.reshape([-1, 3]).arraySync() as number[][];
    return rows.filter((_, i) => mask[i] === 1);
  });
}

describe("padded positions", () => {
  it("never enter k-means: it sees the real ones, each once", async () => {
    const conversion = converted(network());
    const rows = await rowsOfKMeans(() => conversion.calibrate(data(100), { method: "kmeans" }));
    expect(rows.map((one) => one.length)).toEqual([real * width, real * 8]);
    const { values } = data(100).arrays.inputs.x;
    const wanted = [...values].filter((_, i) => mask[Math.floor(i / width)] === 1);
    expect([...rows[0]].sort()).toEqual(wanted.sort());
  });

  it.each<CalibrationMethod>(["kmeans", "leastSquares", "maddness", "maddnessFast"])(
    "change nothing of what %s learns, nor of the errors that are measured",
    async (method) => {
      const results: unknown[] = [];
      for (const padding of [1, 100]) {
        const conversion = converted(network());
        await conversion.calibrate(data(padding), { method });
        await conversion.replaceAll();
        const { report } = await conversion.errorAccumulation(data(padding));
        results.push([realOutputs(conversion), report.metric, report.series]);
      }
      expect(results[1]).toEqual(results[0]);
    },
  );

  it.each([
    ["flattens it: all rows are learnt from", () => L.flatten(), examples * length],
    ["means the real ones alone: those are", null, real],
  ] as const)("of a network that is given its mask and %s", async (_what, behind, rows) => {
    const [input, given] = [
      tf.input({ shape: [length, width], name: "x" }),
      tf.input({ shape: [length], name: "mask" }),
    ];
    const project = (name: string, seed: number) =>
      L.dense({ units: 4, name, kernelInitializer: tf.initializers.heNormal({ seed }) }).apply(input);
    const attended = layers
      .attention({ numHeads: 1 })
      .apply([...["q", "k", "v"].map(project), given] as tf.SymbolicTensor[]) as tf.SymbolicTensor;
    const inside = L.dense({ units: 4, name: "inside" }).apply(attended) as tf.SymbolicTensor;
    const pooled = behind ? behind().apply(inside) : new layers.MaskedMean({}).apply([inside, given]);
    const output = L.dense({ units: 2, activation: "softmax" }).apply(pooled) as tf.SymbolicTensor;
    const conversion = convert(tf.model({ inputs: [input, given], outputs: output }), {
      layers: ["inside"],
      numCentroids: 4,
      subvectorLength: { inside: 2 },
    });
    const { x } = data(1).arrays.inputs;
    const both = new datasets.ArrayExamples({
      name: "padded",
      inputs: { x, mask: { shape: [length], values: Float32Array.from(mask) } },
      target: { kind: "class", classes: 2 },
      targets: new Int32Array(examples),
    });
    const [seen] = await rowsOfKMeans(() => conversion.calibrate(both, { method: "kmeans" }));
    expect(seen.length / 4).toBe(rows);
  });

  it("change nothing of a plan", async () => {
    const points: unknown[] = [];
    for (const padding of [1, 100]) {
      const made = await plan(network(), {
        data: data(padding),
        validation: data(padding),
        budget: { flops: 1000 },
        layers: ["first", "second"],
        numCentroids: [4],
        subvectorMultiples: [1],
        task: "tokens",
      });
      points.push([
        made.points,
        made.layers.map(({ options }) => options.map(({ cost: _, ...rest }) => rest)),
      ]);
    }
    expect(points[1]).toEqual(points[0]);
  });
});
