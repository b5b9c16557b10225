import { convert, models, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { isReplaceable } from "../../../kernel/lib/layers/linearOperator";
import { feedingLayers, hasBefore, hasBehind } from "../../../kernel/lib/layers/norms";
import { tinyData } from "../network";

type Tensor = tf.SymbolicTensor;

/** Which of a block's parts are created first; what the block is must not depend on it. */
const orders = [
  ["branch", "shortcut"],
  ["shortcut", "branch"],
] as const;

/**
 * A block with a convolution and a batch norm on each side, different sizes, weights by name; `created` is the order in
 * which the two sides are built, `added` that in which they are added.
 */
function blockNetwork(created: readonly string[], added: readonly string[]): tf.LayersModel {
  const seeds: Record<string, number> = { stem: 1, a: 2, b: 3, short: 4, logits: 5 };
  const conv = (name: string, filters: number, kernelSize: number, strides: number) =>
    tf.layers.conv2d({
      name,
      filters,
      kernelSize,
      strides,
      padding: "same",
      useBias: false,
      kernelInitializer: tf.initializers.heNormal({ seed: seeds[name] }),
    });
  const norm = (name: string) => tf.layers.batchNormalization({ name });
  const input = tf.input({ shape: [6, 6, 2], name: "image" });
  const stem = norm("stemNorm").apply(conv("stem", 4, 3, 1).apply(input)) as Tensor;
  const sides: Record<string, () => Tensor> = {
    branch: () => {
      const inner = norm("aNorm").apply(conv("a", 6, 3, 2).apply(stem));
      const relu = tf.layers.reLU({ name: "aRelu" }).apply(inner);
      return norm("bNorm").apply(conv("b", 8, 3, 1).apply(relu)) as Tensor;
    },
    shortcut: () => norm("shortNorm").apply(conv("short", 8, 1, 2).apply(stem)) as Tensor,
  };
  const made: Record<string, Tensor> = {};
  for (const side of created) made[side] = sides[side]();
  const sum = tf.layers.add({ name: "sum" }).apply(added.map((side) => made[side])) as Tensor;
  const pooled = tf.layers.globalAveragePooling2d({ name: "pool" }).apply(sum);
  const logits = tf.layers
    .dense({ name: "logits", units: 3, kernelInitializer: tf.initializers.heNormal({ seed: 5 }) })
    .apply(pooled) as Tensor;
  return tf.model({ inputs: input, outputs: logits, name: "block" });
}

const owners = (model: tf.LayersModel): Record<string, string[]> => {
  const feeding = feedingLayers(new NetworkGraph(model), (node) => isReplaceable(node.layer));
  return Object.fromEntries([...feeding].map(([norm, layers]) => [norm, [...layers].sort()]));
};

describe("the batch norms of a branched network", () => {
  it("belong to the convolution on their own side, in whatever order the sides are created and added", () => {
    for (const created of orders)
      for (const added of orders)
        expect(owners(blockNetwork(created, added))).toEqual({
          stemNorm: ["stem"],
          aNorm: ["a"],
          bNorm: ["b"],
          shortNorm: ["short"],
        });
  });

  it("belong one to one to the convolutions of a residual network", () => {
    const model = models.resnet({ inputShape: [8, 8, 1], numClasses: 10, depth: 8, width: 4 });
    const found = owners(model);
    const convolutions = model.layers.filter((layer) => layer.getClassName() === "Conv2D");
    expect(Object.values(found).flat().sort()).toEqual(convolutions.map(({ name }) => name).sort());
    expect(Object.values(found).every((layers) => layers.length === 1)).toBe(true);
  });

  it("belong to both convolutions where these are added before it, and to none across another batch norm", () => {
    const input = tf.input({ shape: [4, 4, 2] });
    const conv = (name: string) => tf.layers.conv2d({ name, filters: 3, kernelSize: 1 });
    const sum = tf.layers.add().apply([conv("left").apply(input), conv("right").apply(input)] as Tensor[]);
    const first = tf.layers.batchNormalization({ name: "first" }).apply(sum);
    const second = tf.layers.batchNormalization({ name: "second" }).apply(tf.layers.reLU().apply(first));
    const model = tf.model({ inputs: input, outputs: second as Tensor });
    expect(owners(model)).toEqual({ first: ["left", "right"], second: [] });
  });
});

describe("a branched network's order", () => {
  it("is found by edges", () => {
    const graph = new NetworkGraph(blockNetwork(orders[1], orders[0]));
    const is = (name: string) => (node: { name: string }) => node.name === name;
    const node = (name: string) => graph.callsOf(name)[0];
    expect(hasBefore(graph, node("b"), is("a"))).toBe(true);
    expect(hasBefore(graph, node("short"), is("a"))).toBe(false);
    expect(hasBehind(graph, node("a"), is("logits"))).toBe(true);
    expect(hasBehind(graph, node("a"), is("short"))).toBe(false);
  });

  it.each(["kmeans", "leastSquares"] as const)(
    "does not change what %s calibrates, layer by layer",
    async (method) => {
      const data = tinyData(96);
      const results: { errors: Record<string, unknown>; outputs: Float32Array }[] = [];
      for (const created of orders)
        for (const added of orders) {
          const model = blockNetwork(created, added);
          const conversion = convert(model, { layers: ["a", "b", "short"] });
          await conversion.calibrate(data, { method });
          await conversion.replaceAll();
          const { report } = await conversion.errorAccumulation(data);
          const errors = Object.fromEntries(
            report.layers.map(({ name }, i) => [name, report.series[0].errors[i].local?.relative]),
          );
          const outputs = tf.tidy(
            () =>
              (
                conversion.model.predict(tf.tensor4d(data.images, [96, 6, 6, 2])) as tf.Tensor
              ).dataSync() as Float32Array,
          );
          results.push({ errors, outputs: Float32Array.from(outputs) });
          await conversion.restoreAll();
        }
      const [first, ...others] = results;
      for (const { errors, outputs } of others) {
        for (const [name, error] of Object.entries(first.errors))
          expect(errors[name], name).toBeCloseTo(error as number, 5);
        outputs.forEach((value, i) => {
          expect(Math.abs(value - first.outputs[i])).toBeLessThan(1e-4); // sums of two sides in another order
        });
      }
    },
    60_000,
  );
});

describe("a batch norm behind a layer that is called twice", () => {
  it("keeps its statistics: those of one call would not be what the other has been given", async () => {
    const input = tf.input({ shape: [6, 6, 2], name: "image" });
    const shared = tf.layers.conv2d({ filters: 4, kernelSize: 3, padding: "same", name: "shared" });
    const norm = tf.layers.batchNormalization({ name: "sharedNorm" });
    const alone = tf.layers.conv2d({ filters: 2, kernelSize: 3, padding: "same", name: "alone" });
    const once = tf.layers.batchNormalization({ name: "aloneNorm" });
    const widened = tf.layers.conv2d({ filters: 2, kernelSize: 1, name: "widened" });
    const calls = [input, widened.apply(input)].map((x) => norm.apply(shared.apply(x as Tensor)) as Tensor);
    const sum = tf.layers.add().apply(calls) as Tensor;
    const output = tf.layers
      .dense({ units: 3 })
      .apply(tf.layers.flatten().apply(once.apply(alone.apply(sum)))) as Tensor;
    const model = tf.model({ inputs: input, outputs: output });
    const conversion = convert(model, {
      layers: ["shared", "alone"],
      subvectorLength: { shared: 9, alone: 9 },
      task: "regression",
    });
    await conversion.calibrate(tinyData(60), { method: "leastSquares" });
    await conversion.replaceAll();
    const statistics = (network: tf.LayersModel, name: string) =>
      network
        .getLayer(name)
        .getWeights()
        .slice(2)
        .map((one) => [...one.dataSync()]);
    expect(statistics(conversion.model, "sharedNorm")).toEqual(statistics(model, "sharedNorm"));
    expect(statistics(conversion.model, "aloneNorm")).not.toEqual(statistics(model, "aloneNorm"));
    await conversion.restoreAll();
  });
});
