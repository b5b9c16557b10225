import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
// @ts-expect-error: the benchmarks are plain JavaScript
import { contenders } from "../../../kernel/bench/networks.mjs";

type Step = () => number | undefined;

describe("what the training benchmark times", () => {
  it.each(["resnet20-w16", "vgg11-small"])(
    "takes finite steps of both kinds with a constant number of tensors: %s",
    async (name) => {
      const steps = (await contenders[name]("both")) as Record<"dense" | "softPq", Step>;
      for (const step of [steps.dense, steps.softPq]) {
        expect(step()).toBeGreaterThan(0);
        const tensors = tf.memory().numTensors;
        expect(step()).toBeLessThan(100);
        expect(tf.memory().numTensors).toBe(tensors);
      }
    },
  );

  it("runs a layer forward and backward", async () => {
    const steps = (await contenders["conv 8²×64→64"]("both")) as Record<"dense" | "softPq", Step>;
    const tensors = tf.memory().numTensors;
    steps.dense();
    steps.softPq();
    expect(tf.memory().numTensors).toBe(tensors);
  });
});
