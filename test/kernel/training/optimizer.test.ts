import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { Optimizer } from "../../../kernel/lib/training/optimizer";
import { learningRateShare, warmupShare } from "../../../kernel/lib/training/schedule";
import { randomFloats } from "../random";

/** Against loops in double precision: float32 rounding over some steps. */
const tolerance = 1e-5;

describe("the optimiser", () => {
  it.each([
    ["adam", 0],
    ["adam", 0.1],
    ["sgd", 0],
    ["sgd", 0.1],
  ] as const)("moves variables as its formula says (%s, weight decay %d)", (algorithm, weightDecay) => {
    const start = [randomFloats(6, 1), randomFloats(4, 2)];
    const target = randomFloats(6, 3);
    const variables = [tf.variable(tf.tensor2d(start[0], [2, 3])), tf.variable(tf.tensor1d(start[1]))];
    const optimizer = new Optimizer([{ variables, learningRate: 0.05, weightDecay }], algorithm);
    const w = [...start[0], ...start[1]];
    const m = w.map(() => 0);
    const v = w.map(() => 0);
    for (let t = 1; t <= 7; t++) {
      optimizer.step(
        1 / t,
        () =>
          tf.addN([
            tf.sum(tf.squaredDifference(variables[0], tf.tensor2d(target, [2, 3]))),
            tf.sum(tf.pow(variables[1], 4)),
          ]) as tf.Scalar,
      );
      w.forEach((value, i) => {
        const raw = i < 6 ? 2 * (value - target[i]) : 4 * value ** 3;
        const rate = 0.05 / t;
        if (algorithm === "adam") {
          m[i] = 0.9 * m[i] + 0.1 * raw;
          v[i] = 0.999 * v[i] + 0.001 * raw * raw;
          w[i] -=
            rate *
            (m[i] / (1 - 0.9 ** t) / (Math.sqrt(v[i] / (1 - 0.999 ** t)) + 1e-8) + weightDecay * value);
        } else {
          m[i] = 0.9 * m[i] + raw + weightDecay * value;
          w[i] -= rate * m[i];
        }
      });
    }
    const got = variables.flatMap((variable) => [...variable.dataSync()]);
    got.forEach((value, i) => {
      expect(Math.abs(value - w[i])).toBeLessThan(tolerance);
    });
    optimizer.dispose();
  });

  it("gives groups rates of their own and leaves a variable alone that the loss does not reach", () => {
    const [fast, slow, idle] = [1, 1, 1].map((value) => tf.variable(tf.scalar(value)));
    const optimizer = new Optimizer(
      [
        { variables: [fast, idle], learningRate: 0.1 },
        { variables: [slow], learningRate: 0.01 },
      ],
      "sgd",
    );
    optimizer.step(1, () => tf.add(fast, slow) as tf.Scalar);
    expect([fast, slow, idle].map((variable) => variable.dataSync()[0])).toEqual(
      [0.9, 0.99, 1].map(Math.fround),
    );
    optimizer.dispose();
  });

  it("changes nothing on a loss that is not finite", () => {
    const variable = tf.variable(tf.scalar(-1));
    const optimizer = new Optimizer([{ variables: [variable], learningRate: 1 }], "adam");
    expect(optimizer.step(1, () => tf.log(variable) as tf.Scalar)).toBeNaN();
    expect(variable.dataSync()[0]).toBe(-1);
    expect(optimizer.state().count).toBe(0);
    expect(() => optimizer.restore({ count: 1, slots: [new Float32Array(2)] })).toThrow(
      /slots must have 1, 1 numbers \(got 2\)/,
    );
    optimizer.dispose();
  });
});

describe("a schedule", () => {
  it("is entered by steps that rise in a line, or at once", () => {
    expect([0, 1, 3, 4, 50].map((step) => warmupShare(step, 4))).toEqual([0.2, 0.4, 0.8, 1, 1]);
    expect(warmupShare(0, 0)).toBe(1);
  });

  it("goes from 1 to 0 as a cosine, stays, or falls in steps", () => {
    expect([0, 50, 100].map((step) => learningRateShare("cosine", step, 100, 10))).toEqual([
      1,
      expect.closeTo(0.5),
      expect.closeTo(0),
    ]);
    expect(learningRateShare("constant", 99, 100, 10)).toBe(1);
    const falling = { every: 3, factor: 0.1 };
    expect([0, 29, 30, 65].map((step) => learningRateShare(falling, step, 100, 10))).toEqual([
      1,
      1,
      0.1,
      expect.closeTo(0.01),
    ]);
  });
});
