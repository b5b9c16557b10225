import * as lutnn from "lutnn";
import { describe, expect, it } from "vitest";
import { type TaskName, taskNames } from "../../../kernel/lib/tasks/derive";

const { tf } = lutnn;
type Target = lutnn.datasets.TargetSpec;
type Activation = "softmax" | "sigmoid" | "linear" | "relu";

/** A network of one dense layer of so many units, at each of some positions where they are given (null: open). */
function network(units: number, activation: Activation, positions?: number | null): lutnn.tf.LayersModel {
  const input = tf.input({ shape: positions === undefined ? [4] : [positions, 4] });
  const layer = tf.layers.dense({ units, activation, name: "fc" });
  return tf.model({ inputs: input, outputs: layer.apply(input) as lutnn.tf.SymbolicTensor, name: "net" });
}

const targets: Record<string, Target> = {
  "2 classes": { kind: "class", classes: 2 },
  "3 classes": { kind: "class", classes: 3 },
  "4 classes": { kind: "class", classes: 4 },
  "1 answer": { kind: "labels", count: 1 },
  "3 answers": { kind: "labels", count: 3 },
  "1 number": { kind: "values", length: 1 },
  "3 numbers": { kind: "values", length: 3 },
  "3 classes at 2 positions": { kind: "tokens", classes: 3, length: 2 },
  "4 classes at 2 positions": { kind: "tokens", classes: 4, length: 2 },
  "3 classes at 5 positions": { kind: "tokens", classes: 3, length: 5 },
};

describe("a task takes the targets that it can learn, and no others", () => {
  it.each<[TaskName, lutnn.tf.LayersModel, string[]]>([
    ["classification", network(3, "linear"), ["2 classes", "3 classes"]],
    ["classification", network(3, "softmax"), ["2 classes", "3 classes"]],
    ["yesNo", network(1, "sigmoid"), ["2 classes", "1 answer"]],
    ["yesNo", network(1, "linear"), ["2 classes", "1 answer"]],
    ["labels", network(3, "sigmoid"), ["3 answers"]],
    ["regression", network(3, "linear"), ["3 numbers"]],
    ["regression", network(1, "relu"), ["1 number"]],
    ["tokens", network(3, "softmax", 2), ["3 classes at 2 positions"]],
    ["tokens", network(3, "linear", null), ["3 classes at 2 positions", "3 classes at 5 positions"]],
  ])("%s", (name, model, wanted) => {
    const task = lutnn.taskOf(model, name);
    const taken = Object.keys(targets).filter((target) => {
      try {
        task.checkTarget("fit", targets[target], "d");
        return true;
      } catch (error) {
        expect(error).toBeInstanceOf(lutnn.LutnnError);
        expect(String(error)).toMatch(/fit: the targets must be .* \(got .* from d\); .*other data$/);
        return false;
      }
    });
    expect(taken).toEqual(wanted);
  });
});

describe("a task is had by the networks whose end can learn it", () => {
  const ends: Record<string, lutnn.tf.LayersModel> = {
    "1 logit": network(1, "linear"),
    "3 logits": network(3, "linear"),
    "1 sigmoid": network(1, "sigmoid"),
    "2 logits": network(2, "linear"),
    "3 sigmoids": network(3, "sigmoid"),
    "softmax of 1": network(1, "softmax"),
    "softmax of 3": network(3, "softmax"),
    "3 relus": network(3, "relu"),
    "softmax at 2 positions": network(3, "softmax", 2),
    "softmax of 2 at 2 positions": network(2, "softmax", 2),
    "softmax of 1 at 2 positions": network(1, "softmax", 2),
    "sigmoids at 2 positions": network(3, "sigmoid", 2),
    "logits at 2 positions": network(3, "linear", 2),
    "softmax at open positions": network(3, "softmax", null),
    "sigmoid at open positions": network(1, "sigmoid", null),
  };

  it.each<[TaskName, string[]]>([
    ["classification", ["3 logits", "2 logits", "softmax of 3"]],
    ["yesNo", ["1 logit", "1 sigmoid"]],
    ["labels", ["3 logits", "2 logits", "3 sigmoids", "sigmoids at 2 positions", "logits at 2 positions"]],
    ["regression", Object.keys(ends).filter((name) => !name.includes("open"))],
    [
      "tokens",
      [
        "softmax at 2 positions",
        "softmax of 2 at 2 positions",
        "logits at 2 positions",
        "softmax at open positions",
      ],
    ],
  ])("%s", (name, wanted) => {
    const having = Object.keys(ends).filter((end) => {
      try {
        return lutnn.taskOf(ends[end], name) !== null;
      } catch (error) {
        expect(error).toBeInstanceOf(lutnn.LutnnError);
        expect(String(error)).toMatch(
          new RegExp(`net: for the task ${name} .*; change the last layer or the task$`),
        );
        return false;
      }
    });
    expect(having).toEqual(wanted);
  });

  it("by no other name", () => {
    expect(taskNames).toEqual(["classification", "yesNo", "labels", "regression", "counts", "tokens"]);
    expect(() => lutnn.taskOf(ends["3 logits"], "segmentation" as "tokens")).toThrow(
      /the task must be one of classification, yesNo, labels, regression, counts, tokens \(got "segmentation"\)/,
    );
  });
});

describe("an open task", () => {
  it("goes on with what the data want, and refuses what none of its tasks learns", () => {
    const open = lutnn.taskOf(network(3, "linear"));
    expect(open.checkTarget("fit", targets["3 numbers"], "d").metric.name).toBe("mean absolute error");
    expect(() => open.checkTarget("fit", targets["3 classes at 2 positions"], "d")).toThrow(
      /the targets must be one of 3 classes or .* \(got one of 3 classes at each of 2 positions from d\)/,
    );
    for (const ask of ["metric", "lossUnit", "divergenceUnit"] as const)
      expect(() => open[ask]).toThrow(/the task must be known/);
    for (const ask of ["distillation", "divergence", "score", "metricOf", "noise"] as const)
      expect(() => (open[ask] as () => unknown)()).toThrow(/the task must be known/);
  });
});

describe("probabilities of 0 and 1", () => {
  it("give losses that are large and finite", () => {
    const loss = (model: lutnn.tf.LayersModel, target: Target, output: number[], label: number) =>
      tf.tidy(
        () =>
          lutnn
            .taskOf(model)
            .checkTarget("fit", target, "d")
            .loss([tf.tensor2d([output])], tf.tensor1d([label], "int32"))
            .dataSync()[0],
      );
    expect(loss(network(2, "softmax"), targets["2 classes"], [1, 0], 1)).toBeCloseTo(-Math.log(1e-12), 4);
    expect(loss(network(2, "softmax"), targets["2 classes"], [1, 0], 0)).toBeCloseTo(0, 6);
    for (const [output, label] of [
      [0, 1],
      [1, 0],
    ]) {
      const value = loss(network(1, "sigmoid"), targets["1 answer"], [output], label);
      expect(Math.abs(value + Math.log(1e-7))).toBeLessThan(0.3); // float32 keeps 1 − 1e-7 to a fifth of its distance from 1
      expect(loss(network(1, "sigmoid"), targets["1 answer"], [output], 1 - label)).toBeLessThan(1e-6);
    }
  });
});

describe("a token task", () => {
  it("refuses a mask of other positions, and does without one", () => {
    const task = lutnn.taskOf(network(3, "softmax", 2));
    const outputs = [tf.tensor3d([0.2, 0.3, 0.5, 0.6, 0.3, 0.1], [1, 2, 3])];
    const labels = tf.tensor2d([[2, 1]], [1, 2], "int32");
    const wrong = tf.ones([1, 3], "int32") as lutnn.tf.Tensor2D;
    expect(() => task.loss(outputs, labels, wrong)).toThrow(
      /the mask must have 2 positions as the outputs \(got 3\)/,
    );
    expect(task.loss(outputs, labels).dataSync()[0]).toBeCloseTo(-(Math.log(0.5) + Math.log(0.3)) / 2, 5);
    expect(task.metric).toEqual({ name: "accuracy", unit: "%", higherIsBetter: true });
    expect([task.lossUnit, task.divergenceUnit]).toEqual(["nats a token", "nats a token"]);
    const none = tf.zeros([1, 2], "int32") as lutnn.tf.Tensor2D;
    expect(task.loss(outputs, labels, none).dataSync()[0]).toBe(0);
    expect(task.divergence(outputs, [tf.fill([1, 2, 3], 1 / 3)], none)).toBe(0);
  });
});
