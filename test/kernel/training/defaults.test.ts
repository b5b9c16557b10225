import * as lutnn from "lutnn";
import { describe, expect, it } from "vitest";
import { decayGroups } from "../../../kernel/lib/training/fit";
import { randomFloats } from "../random";

const { tf } = lutnn;
const L = tf.layers;

/** Numbers through one batch norm to an answer. */
function normed(momentum = 0.99): lutnn.tf.LayersModel {
  const input = tf.input({ shape: [2] });
  const x = L.batchNormalization({ momentum, name: "bn" }).apply(input);
  const kernelInitializer = tf.initializers.glorotUniform({ seed: 1 });
  const y = L.dense({ units: 1, activation: "sigmoid", kernelInitializer }).apply(x);
  return tf.model({ inputs: input, outputs: y as lutnn.tf.SymbolicTensor, name: "net" });
}
/** So many examples, far from the mean of 0 and variance of 1 that a new batch norm has. */
const examples = (count: number) => {
  const values = randomFloats(2 * count, 3).map((value, i) => (i % 4 < 2 ? 1 : -1) * (0.3 + Math.abs(value)));
  return new lutnn.datasets.ArrayExamples({
    name: "far",
    inputs: { x: { shape: [2], values: values.map((value, i) => 9 * value + (i % 2 === 0 ? 20 : -20)) } },
    target: { kind: "class", classes: 2 },
    targets: Int32Array.from({ length: count }, (_, n) => (values[2 * n] > 0 ? 1 : 0)),
  });
};
const statistics = (model: lutnn.tf.LayersModel) =>
  model
    .getLayer("bn")
    .weights.slice(-2)
    .map((weight) => [...weight.read().dataSync()]);

describe("weight decay", () => {
  it("is of kernels alone, whatever its size; without it all weights are one group", () => {
    const { trainableWeights } = normed();
    const names = (decay: number) =>
      decayGroups(trainableWeights, 0.1, decay).map(({ variables, learningRate, weightDecay }) => [
        variables.length,
        learningRate,
        weightDecay,
      ]);
    expect(names(0)).toEqual([[4, 0.1, undefined]]);
    for (const decay of [0.5, 1, 2])
      expect(names(decay)).toEqual([
        [1, 0.1, decay],
        [3, 0.1, undefined],
      ]);
  });
});

describe("batch norms", () => {
  it("are estimated on 2,048 examples in batches of 256 by seed 0 unless told otherwise", async () => {
    const data = examples(2400);
    const estimated = async (options: lutnn.ReestimateOptions) => {
      const model = normed();
      const result = await lutnn.reestimateBatchNorms(model, data, options);
      return [result.examples, ...statistics(model)];
    };
    const own = await estimated({});
    expect(own[0]).toBe(2048);
    expect(own).toEqual(await estimated({ examples: 2048, batchSize: 256, seed: 0 }));
    expect(own).not.toEqual(await estimated({ seed: 1 }));
    expect(own).not.toEqual(await estimated({ batchSize: 128 }));
  });

  it("are judged from 16 examples on", async () => {
    for (const [count, told] of [
      [15, false],
      [16, true],
    ] as const) {
      const model = normed();
      model.layers[2].setWeights([tf.tensor2d([[1], [0]]), tf.tensor1d([0])]);
      const warning = await lutnn.batchNormWarning(model, examples(count));
      expect(warning !== null, `${count}: ${warning}`).toBe(told);
    }
  });
});
