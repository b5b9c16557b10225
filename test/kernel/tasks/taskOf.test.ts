import * as lutnn from "lutnn";
import { describe, expect, it } from "vitest";

const { tf } = lutnn;
const L = tf.layers;

/** A network of some layers on an input. */
const network = (shape: number[], ...layers: lutnn.tf.layers.Layer[]) => {
  const input = tf.input({ shape });
  const output = layers.reduce((x, layer) => layer.apply(x) as lutnn.tf.SymbolicTensor, input);
  return tf.model({ inputs: input, outputs: output, name: "net" });
};
const described = (...args: Parameters<typeof network>) => lutnn.taskOf(network(...args)).description;

describe("a task is told by the network's end", () => {
  it("one of many: softmax as activation, as layer, behind rearranging layers, in a nested network", () => {
    const softmax = L.dense({ units: 3, activation: "softmax", name: "fc" });
    expect(described([4], softmax)).toBe("one of 3 classes (softmax of layer fc)");
    const layer = L.softmax({ name: "soft" });
    expect(described([4], L.dense({ units: 3 }), layer)).toBe("one of 3 classes (softmax of layer soft)");
    const activation = L.activation({ activation: "softmax", name: "act" });
    expect(described([4], L.dense({ units: 3 }), activation)).toBe("one of 3 classes (softmax of layer act)");
    const conv = L.conv2d({ filters: 5, kernelSize: 2, activation: "softmax", name: "k" });
    const behind = [
      L.permute({ dims: [3, 1, 2] }),
      L.flatten(),
      L.dropout({ rate: 0.5 }),
      L.reshape({ targetShape: [5] }),
    ];
    const identity = L.activation({ activation: "linear" });
    expect(described([2, 2, 1], conv, ...behind, identity)).toBe("one of 5 classes (softmax of layer k)");
    const inner = network([4], L.dense({ units: 3, activation: "softmax", name: "within" }));
    expect(described([4], L.dense({ units: 4 }), inner, L.dropout({ rate: 0.5 }))).toBe(
      "one of 3 classes (softmax of layer within)",
    );
  });

  it("no task is told by an activation, of tf.js or this library's own, that fits none", () => {
    for (const [layer, name] of [
      [L.elu(), "elu"],
      [lutnn.layers.hardSwish(), "hardSwish"],
      [L.activation({ activation: "tanh" }), "tanh"],
    ] as const)
      expect(() => described([4], L.dense({ units: 3 }), layer)).toThrow(
        new RegExp(`got ${name} of layer \\S+ with 3 outputs`),
      );
  });

  it("means of probabilities are probabilities", () => {
    const conv = L.conv2d({ filters: 5, kernelSize: 1, activation: "softmax", name: "k" });
    expect(described([2, 2, 1], conv, L.globalAveragePooling2d({}))).toBe(
      "one of 5 classes (softmax of layer k)",
    );
    const input = tf.input({ shape: [4] });
    const heads = ["a", "b"].map((name) => L.dense({ units: 3, activation: "softmax", name }).apply(input));
    const output = L.average().apply(heads as lutnn.tf.SymbolicTensor[]) as lutnn.tf.SymbolicTensor;
    expect(lutnn.taskOf(tf.model({ inputs: input, outputs: output })).description).toBe(
      "one of 3 classes (softmax of layer a)",
    );
  });

  it("yes or no, several answers, tokens, and what linear outputs leave to the data", () => {
    const dense = (units: number, activation?: "sigmoid" | "softmax") =>
      L.dense({ units, activation, name: "fc" });
    expect(described([4], dense(1, "sigmoid"))).toBe("yes or no (sigmoid of layer fc)");
    expect(described([4], dense(3, "sigmoid"))).toBe("3 yes-or-no answers (sigmoid of layer fc)");
    expect(described([7, 4], dense(3, "softmax"))).toBe(
      "one of 3 classes at each of 7 positions (softmax of layer fc)",
    );
    expect(described([4], dense(3))).toBe(
      "one of 3 classes or 3 yes-or-no answers or 3 numbers, as the data say (linear output of layer fc)",
    );
    expect(described([4], dense(1))).toBe(
      "yes or no or a number, as the data say (linear output of layer fc)",
    );
    const open = lutnn.taskOf(network([4], dense(3)));
    const told = (target: lutnn.datasets.TargetSpec) => open.checkTarget("fit", target, "d").description;
    expect(told({ kind: "class", classes: 3 })).toBe("one of 3 classes (logits of layer fc)");
    expect(told({ kind: "labels", count: 3 })).toBe("3 yes-or-no answers (logits of layer fc)");
    expect(told({ kind: "values", length: 3 })).toBe("3 numbers (linear output of layer fc)");
    expect(() => open.loss([], tf.scalar(0))).toThrow(/the task must be known/);
    const named = lutnn.taskOf(network([4], dense(3)), "regression");
    expect(named.description).toBe("3 numbers (linear output of layer fc)");
  });

  it("refuses in one sentence what tells nothing", () => {
    const task = (...args: Parameters<typeof network>) => lutnn.taskOf(network(...args));
    const dense = (units: number, activation?: "relu" | "softmax" | "sigmoid") =>
      L.dense({ units, activation, name: "fc" });
    expect(() => task([4], dense(3, "relu"))).toThrow(
      /net: a network must end in a softmax .* \(got relu of layer fc with 3 outputs at 1 positions\)/,
    );
    const channels = L.conv2d({ filters: 4, kernelSize: 1, activation: "softmax", name: "k" });
    expect(() => task([2, 2, 1], channels, L.flatten())).toThrow(
      /got softmax over another axis than the last of layer k with 16 outputs/,
    );
    const turned = [L.permute({ dims: [2, 1] })];
    expect(() => task([3, 3], L.dense({ units: 3, activation: "softmax", name: "k" }), ...turned)).toThrow(
      /softmax over another axis than the last of layer k/,
    );
    expect(() => task([2, 2, 1], channels, L.globalMaxPooling2d({ name: "max" }))).toThrow(
      /got softmax through GlobalMaxPooling2D of layer max/,
    );
    const twice = [L.softmax({ axis: 1, name: "k" }), L.upSampling2d({ size: [2, 1] })]; // a, a, b, b
    expect(() => task([2, 1, 1], ...twice, L.reshape({ targetShape: [2, 2] }))).toThrow(
      /softmax over another axis than the last of layer k/,
    );
    expect(() => task([4], dense(1, "softmax"))).toThrow(/got softmax of layer fc with 1 outputs/);
    expect(() => lutnn.taskOf(network([4], dense(3, "sigmoid")), "classification")).toThrow(
      /net: for the task classification the outputs must be a softmax or logits \(they are sigmoid\)/,
    );
    const input = tf.input({ shape: [4] });
    const two = tf.model({
      inputs: input,
      outputs: ["a", "b"].map((name) => L.dense({ units: 2, name }).apply(input) as lutnn.tf.SymbolicTensor),
    });
    expect(() => lutnn.taskOf(two)).toThrow(
      /must have one output to tell its task \(it has a, b\); pass \{ task \}/,
    );
  });

  it.each([
    [
      { kind: "class", classes: 4 },
      /one of at most 3 classes, as the network has 3 outputs \(got one of 4 classes from d\)/,
    ],
    [{ kind: "values", length: 3 }, /one of at most 3 classes, .* \(got 3 numbers from d\)/],
    [{ kind: "labels", count: 3 }, /\(got 3 yes-or-no answers from d\)/],
    [{ kind: "tokens", length: 2, classes: 3 }, /\(got one of 3 classes at each of 2 positions from d\)/],
  ] as const)("refuses targets %j of other kinds", (target, message) => {
    const task = lutnn.taskOf(network([4], L.dense({ units: 3, activation: "softmax" })));
    expect(() => task.checkTarget("fit", target, "d")).toThrow(lutnn.LutnnError);
    expect(() => task.checkTarget("fit", target, "d")).toThrow(message);
  });
});
