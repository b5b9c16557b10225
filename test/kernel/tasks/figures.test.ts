import * as lutnn from "lutnn";
import { describe, expect, it } from "vitest";

const { tf } = lutnn;
const L = tf.layers;

/** float32 against double precision by hand. */
const tolerance = 1e-5;

type Target = lutnn.datasets.TargetSpec;
type Activation = "softmax" | "sigmoid";

/** The task of one dense layer on 4 numbers (at positions, where given). */
function task(target: Target, units: number, activation?: Activation, positions?: number): lutnn.Task {
  const input = tf.input({ shape: positions ? [positions, 4] : [4] });
  const output = L.dense({ units, activation }).apply(input) as lutnn.tf.SymbolicTensor;
  return lutnn.taskOf(tf.model({ inputs: input, outputs: output })).checkTarget("test", target, "d");
}

const close = (got: number, wanted: number) =>
  expect(Math.abs(got - wanted), `${got} instead of ${wanted}`).toBeLessThan(tolerance * Math.max(1, wanted));
const number = (make: () => lutnn.tf.Scalar) => tf.tidy(() => make().dataSync()[0]);
const softmax = (logits: number[], temperature = 1) => {
  const powers = logits.map((logit) => Math.exp(logit / temperature));
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
};
const kl = (p: number[], q: number[]) => p.reduce((sum, one, i) => sum + one * Math.log(one / q[i]), 0);
const sigmoid = (x: number, temperature = 1) => 1 / (1 + Math.exp(-x / temperature));
const answerKl = (a: number, b: number, t = 1) =>
  kl([sigmoid(a, t), 1 - sigmoid(a, t)], [sigmoid(b, t), 1 - sigmoid(b, t)]);

const student = [
  [2, -1, 0.5],
  [0.1, 0.2, 0.3],
];
const teacher = [
  [1, 0, -0.5],
  [-1, 2, 0.4],
];

describe("the figures of a task", () => {
  it.each([undefined, "softmax"] as const)("one of many (%s)", (activation) => {
    const one = task({ kind: "class", classes: 3 }, 3, activation);
    const given = (rows: number[][]) => [tf.tensor2d(activation ? rows.map((row) => softmax(row)) : rows)];
    const labels = tf.tensor1d([0, 1], "int32");
    const p = student.map((row) => softmax(row));
    close(
      number(() => one.loss(given(student), labels)),
      -(Math.log(p[0][0]) + Math.log(p[1][1])) / 2,
    );
    const score = one.score(given(student), labels);
    expect(one.metricOf(score)).toBe(50);
    close(one.noise(score), (100 * 0.5) / Math.sqrt(2)); // √(p(1 − p)/N)
    const softened = (rows: number[][], t: number) => rows.map((row) => softmax(row, t));
    const [a, b] = [softened(teacher, 4), softened(student, 4)];
    close(
      number(() => one.distillation(given(student), given(teacher), 4)),
      (16 * (kl(a[0], b[0]) + kl(a[1], b[1]))) / 2,
    );
    const [c, d] = [softened(teacher, 1), softened(student, 1)];
    close(one.divergence(given(teacher), given(student)), kl(c[0], d[0]) + kl(c[1], d[1]));
  });

  it.each([undefined, "sigmoid"] as const)("yes or no (%s)", (activation) => {
    const one = task({ kind: "class", classes: 2 }, 1, activation);
    const given = (values: number[]) => [
      tf.tensor2d(
        values.map((x) => (activation ? sigmoid(x) : x)),
        [values.length, 1],
      ),
    ];
    const labels = tf.tensor1d([1, 0, 0], "int32");
    const x = [2, -1, 0.5];
    const losses = [-Math.log(sigmoid(2)), -Math.log(1 - sigmoid(-1)), -Math.log(1 - sigmoid(0.5))];
    close(
      number(() => one.loss(given(x), labels)),
      losses.reduce((a, b) => a + b) / 3,
    );
    close(one.metricOf(one.score(given(x), labels)), 200 / 3);
    const t = [1, 1, -1];
    close(
      number(() => one.distillation(given(x), given(t), 2)),
      (4 * t.reduce((sum, value, i) => sum + answerKl(value, x[i], 2), 0)) / 3,
    );
    close(
      one.divergence(given(t), given(x)),
      t.reduce((sum, value, i) => sum + answerKl(value, x[i]), 0),
    );
  });

  it("several answers: means over them", () => {
    const one = task({ kind: "labels", count: 3 }, 3, "sigmoid");
    const given = (rows: number[][]) => [tf.tensor2d(rows.map((row) => row.map((x) => sigmoid(x))))];
    const answers = [
      [1, 0, 0],
      [0, 1, 1],
    ];
    const each = student.flatMap((row, n) =>
      row.map((x, i) => -Math.log(answers[n][i] ? sigmoid(x) : 1 - sigmoid(x))),
    );
    close(
      number(() => one.loss(given(student), tf.tensor2d(answers))),
      each.reduce((a, b) => a + b) / 6,
    );
    const score = one.score(given(student), tf.tensor2d(answers));
    close(one.metricOf(score), (100 * (2 / 3 + 2 / 3)) / 2);
    expect(score.weight).toBe(2);
    const divergences = (t: number) =>
      teacher.flatMap((row, n) => row.map((x, i) => answerKl(x, student[n][i], t))).reduce((a, b) => a + b);
    close(one.divergence(given(teacher), given(student)), divergences(1) / 3);
    close(
      number(() => one.distillation(given(student), given(teacher), 3)),
      (9 * divergences(3)) / 6,
    );
  });

  it("numbers: relative to the targets' spread where it is known, the metric in their unit", () => {
    const values = { kind: "values", length: 2, unit: "m" } as const;
    const outputs = [tf.tensor2d([1, 2, 3, 5], [2, 2])];
    const targets = tf.tensor2d([1, 4, 0, 5], [2, 2]);
    const plain = task(values, 2);
    expect([plain.lossUnit, plain.metric]).toEqual([
      "m²",
      { name: "mean absolute error", unit: "m", higherIsBetter: false },
    ]);
    close(
      number(() => plain.loss(outputs, targets)),
      (4 + 9) / 4,
    );
    const relative = task({ ...values, spread: 10 }, 2);
    expect(relative.lossUnit).toBe("of the targets' variance");
    close(
      number(() => relative.loss(outputs, targets)),
      (4 + 9) / 4 / 100,
    );
    close(
      number(() => relative.distillation(outputs, [targets], 4)),
      (4 + 9) / 4 / 100,
    );
    close(relative.divergence([targets], outputs), (4 / 2 + 9 / 2) / 100);
    const score = relative.score(outputs, targets);
    close(relative.metricOf(score), (1 + 1.5) / 2);
    close(relative.noise(score), Math.sqrt(2 * 0.25 ** 2) / 2);
  });

  it("tokens: padding and what is not to be learnt never count", () => {
    const one = task({ kind: "tokens", length: 3, classes: 3 }, 3, undefined, 3);
    const row = student[0];
    const outputs = [tf.tensor3d([row, row, row, student[1], [9, 9, -9], row].flat(), [2, 3, 3])];
    const targets = tf.tensor2d([0, 1, -1, 2, 0, 0], [2, 3], "int32");
    const mask = tf.tensor2d([1, 1, 1, 1, 0, 0], [2, 3], "int32");
    const p = softmax(row);
    const q = softmax(student[1]);
    close(
      number(() => one.loss(outputs, targets, mask)),
      -(Math.log(p[0]) + Math.log(p[1]) + Math.log(q[2])) / 3,
    );
    const score = one.score(outputs, targets, mask);
    expect(score.weight).toBe(3);
    close(one.metricOf(score), 200 / 3);
    const exact = [tf.tensor3d([...teacher[0], ...row, ...row, ...teacher[1], ...row, 0, 0, 0], [2, 3, 3])];
    const first = kl(softmax(teacher[0]), p) / 3;
    const second = kl(softmax(teacher[1]), q);
    close(one.divergence(exact, outputs, mask), first + second);
    close(
      number(() => one.distillation(outputs, exact, 1, mask)),
      (first * 3 + second) / 4,
    );
    const soft = (a: number[], b: number[]) => kl(softmax(a, 4), softmax(b, 4));
    close(
      number(() => one.distillation(outputs, exact, 4, mask)),
      (16 * (soft(teacher[0], row) + soft(teacher[1], student[1]))) / 4,
    );
  });

  it("numbers at padded positions never count", () => {
    const one = task({ kind: "values", length: 2 }, 1, undefined, 2);
    const outputs = [tf.tensor3d([1, 100, 3, 4], [2, 2, 1])];
    const targets = tf.tensor2d([0, 0, 1, 1], [2, 2]);
    const mask = tf.tensor2d([1, 0, 1, 1], [2, 2], "int32");
    close(
      number(() => one.loss(outputs, targets, mask)),
      (1 + 4 + 9) / 3,
    );
    close(one.metricOf(one.score(outputs, targets, mask)), (1 + 2 + 3) / 3);
    close(one.divergence([targets], outputs, mask), 1 + (4 + 9) / 2);
  });

  it("keep no tensor", () => {
    const one = task({ kind: "tokens", length: 3, classes: 3 }, 3, "softmax", 3);
    const outputs = [tf.fill([2, 3, 3], 1 / 3)];
    const targets = tf.zeros([2, 3], "int32");
    const before = tf.memory().numTensors;
    one.score(outputs, targets);
    one.divergence(outputs, outputs);
    expect(tf.memory().numTensors).toBe(before);
  });

  it("have gradients that are those of their formulas (differences of two)", () => {
    const step = 1e-2;
    const check = (one: lutnn.Task, x: number[][], targets: lutnn.tf.Tensor) => {
      for (const loss of [
        (y: lutnn.tf.Tensor) => one.loss([y], targets),
        (y: lutnn.tf.Tensor) => one.distillation([y], [tf.tensor2d(teacher)], 2),
      ]) {
        const gradient = tf.grad(loss)(tf.tensor2d(x)).arraySync() as number[][];
        const at = (value: number) =>
          number(() => loss(tf.tensor2d([[value, ...x[0].slice(1)], x[1]])) as lutnn.tf.Scalar);
        const wanted = (at(x[0][0] + step) - at(x[0][0] - step)) / (2 * step);
        expect(Math.abs(gradient[0][0] - wanted)).toBeLessThan(1e-3); // differences in float32
      }
    };
    check(task({ kind: "class", classes: 3 }, 3), student, tf.tensor1d([1, 2], "int32"));
    check(task({ kind: "labels", count: 3 }, 3), student, tf.ones([2, 3]));
    check(task({ kind: "values", length: 3, spread: 2 }, 3), student, tf.ones([2, 3]));
  });
});
