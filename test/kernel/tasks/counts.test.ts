import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { randomFloats } from "../random";

const { tf } = lutnn;
const L = tf.layers;
const folder = mkdtempSync(join(tmpdir(), "lutnn-counts-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Layer = lutnn.tf.layers.Layer;
const network = (...layers: Layer[]) =>
  tf.sequential({ layers: [L.inputLayer({ inputShape: [2] }), ...layers] });
const rates = () => network(L.dense({ units: 1, activation: "softplus", name: "rate" }));
const logarithms = () => network(L.dense({ units: 1, name: "log" }));
const target: lutnn.datasets.TargetSpec = { kind: "values", length: 1, counts: true, unit: "visits" };

/** Relative entropy of Poisson distributions. */
const entropy = (y: number, rate: number) => (y > 0 ? y * Math.log(y / rate) : 0) - y + rate;

describe("a task of counts", () => {
  it("is told by softplus outputs, and may be asked for on linear ones", () => {
    expect(lutnn.taskOf(rates()).description).toBe("a count (softplus of layer rate)");
    expect(lutnn.taskOf(logarithms(), "counts").description).toBe(
      "a count (logarithm of the rate, linear output of layer log)",
    );
    expect(() => lutnn.taskOf(network(L.dense({ units: 1, activation: "relu" })), "counts")).toThrow(
      /for the task counts the outputs must be rates by softplus or logarithms of rates \(they are relu\)/,
    );
  });

  it("takes data that say they are counts, and has them checked", async () => {
    const task = lutnn.taskOf(rates()).checkTarget("fit", target, "d");
    expect(task.metric).toEqual({ name: "mean absolute error", unit: "visits", higherIsBetter: false });
    expect(() => task.checkTarget("fit", { kind: "values", length: 1 }, "d")).toThrow(
      /^fit: the targets must be a count, whole numbers from 0 \(got a number from d\); say \{ counts: true \}/,
    );
    for (const wrong of [-1, 0.5, Number.NaN]) {
      const data = new lutnn.datasets.ArrayExamples({
        name: "d",
        inputs: { x: { shape: [2], values: new Float32Array(4) } },
        target,
        targets: Float32Array.of(3, wrong),
      });
      await expect(lutnn.fit(rates(), data, { epochs: 1 })).rejects.toThrow(
        new RegExp(`the targets must be whole numbers from 0 \\(got ${wrong} in example 1 of d\\)`),
      );
    }
  });

  it.each([
    ["rates", rates(), (rate: number) => rate],
    ["logarithms", logarithms(), Math.log],
  ] as const)("has the relative entropy for its loss, from %s", (_, model, output) => {
    const task = lutnn.taskOf(model, "counts").checkTarget("test", target, "d");
    const [wanted, given] = [
      [0, 1, 4, 7],
      [0.5, 1, 6, 2],
    ];
    const outputs = [tf.tensor2d(given.map(output), [4, 1])];
    const exact = given.reduce((sum, rate, i) => sum + entropy(wanted[i], rate) / 4, 0);
    const targets = tf.tensor2d(wanted, [4, 1]);
    expect(task.loss(outputs, targets).dataSync()[0]).toBeCloseTo(exact, 5);
    const score = task.score(outputs, targets);
    expect(task.metricOf(score)).toBeCloseTo((0.5 + 0 + 2 + 5) / 4, 5);
    const teacher = [tf.tensor2d([1, 2, 3, 4].map(output), [4, 1])];
    const away = [1, 2, 3, 4].reduce((sum, rate, i) => sum + entropy(rate, given[i]), 0);
    expect(task.divergence(teacher, outputs)).toBeCloseTo(away, 4);
    expect(task.divergence(teacher, teacher)).toBeCloseTo(0, 5);
    const gradient = tf
      .grad((x) => task.loss([x], targets))(outputs[0])
      .dataSync();
    // d/drate of y·log(y / rate) − y + rate is 1 − y / rate; by the logarithm, rate − y.
    given.forEach((rate, i) => {
      const slope = output === Math.log ? rate - wanted[i] : 1 - wanted[i] / rate;
      expect(gradient[i]).toBeCloseTo(slope / 4, 5);
    });
  });

  it("is learnt, converted, tuned, saved and evaluated from the file in its own words", async () => {
    const size = 400;
    const values = randomFloats(2 * size, 5);
    const noise = randomFloats(size, 6);
    // Poisson numbers by their distribution's inverse.
    const drawn = Float32Array.from({ length: size }, (_, i) => {
      const rate = Math.exp(1 + values[2 * i] - values[2 * i + 1]);
      let [y, part, sum] = [0, Math.exp(-rate), Math.exp(-rate)];
      while (sum < (noise[i] + 1) / 2 && y < 100) {
        part *= rate / ++y;
        sum += part;
      }
      return y;
    });
    const data = new lutnn.datasets.ArrayExamples({
      name: "visits",
      inputs: { x: { shape: [2], values } },
      target,
      targets: drawn,
    });
    const init = (seed: number) => ({ kernelInitializer: tf.initializers.glorotNormal({ seed }) });
    const model = network(
      L.dense({ units: 16, activation: "relu", ...init(1) }),
      L.dense({ units: 16, activation: "relu", name: "hidden", ...init(2) }),
      L.dense({ units: 1, activation: "softplus", ...init(3) }),
    );
    await lutnn.fit(model, data, { epochs: 30, learningRate: 0.02 });
    const dense = await lutnn.evaluate(model, data);
    const mean = drawn.reduce((sum, y) => sum + y / size, 0);
    const always = drawn.reduce((sum, y) => sum + entropy(y, mean) / size, 0);
    expect(dense.loss).toBeLessThan(0.7 * always);
    const conversion = lutnn.convert(model, { layers: ["hidden"] });
    await conversion.calibrate(data);
    await conversion.replaceAll();
    await conversion.fineTune(data, { epochs: 2 });
    const file = join(folder, "counts.onnx");
    await conversion.save(file);
    const tuned = await conversion.evaluate(data);
    const session = await lutnn.InferenceSession.create(file);
    const stored = await session.evaluate(data);
    expect(stored.metric).toMatchObject({ name: "mean absolute error", unit: "visits" });
    expect(stored.loss).toBeCloseTo(tuned.loss, 2);
    await session.release();
    await conversion.restoreAll();
  });
});
