import { createRequire } from "node:module";
import { convert, plan, tf } from "lutnn";
import { afterEach, describe, expect, it, vi } from "vitest";
import type * as students from "../../../kernel/lib/conversion/student";
import type * as graphs from "../../../kernel/lib/layers/graph";
import { tinyData } from "../network";

// As the library itself loads them, so that it can be watched.
const load = createRequire(import.meta.url);
const { GraphRun } = load("../../../kernel/lib/layers/graph") as typeof graphs;
const { StudentMaker } = load("../../../kernel/lib/conversion/student") as typeof students;

/** A network of so many convolutions behind the first one. */
function deep(convolutions: number): tf.LayersModel {
  const input = tf.input({ shape: [6, 6, 2], name: "image" });
  let x = input;
  for (let i = 0; i <= convolutions; i++)
    x = tf.layers
      .conv2d({
        filters: 4,
        kernelSize: 3,
        padding: "same",
        activation: "relu",
        kernelInitializer: tf.initializers.heNormal({ seed: i + 1 }),
        name: `c${i}`,
      })
      .apply(x) as tf.SymbolicTensor;
  const pooled = tf.layers.globalAveragePooling2d({}).apply(x);
  const kernelInitializer = tf.initializers.glorotNormal({ seed: 99 });
  const logits = tf.layers.dense({ units: 3, kernelInitializer, name: "logits" }).apply(pooled);
  return tf.model({ inputs: input, outputs: logits as tf.SymbolicTensor, name: `deep${convolutions}` });
}

const data = tinyData(60);

/** Counts examples times calls that pass through networks from here on. */
function watchWork(): () => number {
  let work = 0;
  const step = GraphRun.prototype.step;
  vi.spyOn(GraphRun.prototype, "step").mockImplementation(function (
    this: graphs.GraphRun,
    node,
    values,
    ...rest
  ) {
    work += values.get(node.inputs[0]).shape[0] ?? 0;
    return step.call(this, node, values, ...rest);
  });
  return () => work;
}

afterEach(() => {
  vi.restoreAllMocks();
});

async function replacedNetwork(convolutions: number) {
  const conversion = convert(deep(convolutions), { numCentroids: 4, task: "classification" });
  await conversion.calibrate(data, { method: "kmeans" });
  await conversion.replaceAll();
  return conversion;
}

describe("a deep network's error accumulation", () => {
  it("takes time that grows with depth and no more", async () => {
    const work: number[] = [];
    for (const convolutions of [12, 24, 48]) {
      const conversion = await replacedNetwork(convolutions);
      const seen = watchWork();
      await conversion.errorAccumulation(data);
      work.push(seen());
      vi.restoreAllMocks();
      await conversion.restoreAll();
    }
    expect(work[1] / work[0]).toBeLessThan(2.2);
    expect(work[2] / work[1]).toBeLessThan(2.2);
  });

  it("measures the metric up to inner layers on a part of the examples, says so, and the last one's on all", async () => {
    const conversion = await replacedNetwork(16);
    const measured = await conversion.errorAccumulation(data);
    const { metricSize } = measured.report.data;
    expect(metricSize).toBeGreaterThan(20);
    expect(metricSize).toBeLessThan(45);
    expect(measured.summary()).toContain(`60 examples (${metricSize} up to inner layers)`);
    const [{ errors, metric }] = measured.series;
    expect(errors.at(-1)!.metric).toBe(metric);
    const { names } = conversion.layers;
    for (const name of [...names.slice(8)].reverse()) await conversion.restore(name);
    const half = await conversion.evaluate(data.take(metricSize!));
    expect(errors[7].metric).toBeCloseTo(half.metric.value, 6);
    await conversion.restoreAll();
  });

  it("measures all examples where few layers are replaced", async () => {
    const conversion = await replacedNetwork(6);
    const { report } = await conversion.errorAccumulation(data);
    expect(report.data).toEqual({ name: "tiny", size: 60 });
    await conversion.restoreAll();
  });
});

describe("a deep network's plan", () => {
  it("takes time that grows with depth and no more, and leaves no tensor", async () => {
    const work: number[] = [];
    for (const convolutions of [12, 24]) {
      const model = deep(convolutions);
      const seen = watchWork();
      const before = tf.memory().numTensors;
      await plan(model, {
        data,
        validation: data,
        task: "classification",
        budget: { flops: 1e12 },
        numCentroids: [4],
        subvectorMultiples: [1],
      });
      expect(tf.memory().numTensors).toBe(before);
      work.push(seen());
      vi.restoreAllMocks();
    }
    expect(work[1] / work[0]).toBeLessThan(2.2);
  });
});

/** Counts the event loop's turns, and aborts at one of them. */
function turns(abortAt: number) {
  const abort = new AbortController();
  const counted = {
    seen: 0,
    signal: abort.signal,
    stop: () => abort.abort(new Error("enough")),
  };
  const next = () => {
    if (++counted.seen >= abortAt) counted.stop();
    if (!abort.signal.aborted) setImmediate(next);
  };
  setImmediate(next);
  return counted;
}

describe("a calibration that is aborted", () => {
  it.each(["kmeans", "leastSquares"] as const)(
    "stops wherever it is, says why, and leaves no tensor: %s",
    async (method) => {
      const conversion = convert(deep(12), { numCentroids: 4, task: "classification" });
      await conversion.calibrate(data, { method });
      const before = tf.memory().numTensors;
      const whole = turns(Number.POSITIVE_INFINITY);
      await conversion.calibrate(data, { method, seed: 1 });
      expect(whole.seen).toBeGreaterThan(10);
      whole.stop();
      expect(tf.memory().numTensors).toBe(before);
      for (const share of [0.05, 0.2, 0.35, 0.5]) {
        const { signal } = turns(Math.ceil(share * whole.seen));
        await expect(conversion.calibrate(data, { method, seed: 2, signal })).rejects.toThrow("enough");
        expect(tf.memory().numTensors).toBe(before);
      }
    },
  );
});

describe("layers that are restored and replaced one by one", () => {
  it("cost one network, when it is asked for", async () => {
    const conversion = await replacedNetwork(8);
    const make = vi.spyOn(StudentMaker.prototype, "make");
    const { names } = conversion.layers;
    for (const name of names.slice(1)) await conversion.restore(name);
    for (const name of names.slice(1)) await conversion.replace(name);
    await conversion.undo();
    expect(make).toHaveBeenCalledTimes(0);
    const network = conversion.model;
    expect(conversion.model).toBe(network);
    expect(make).toHaveBeenCalledTimes(1);
    expect(network.getLayer("c8").getClassName()).toBe("Conv2D");
    expect(network.getLayer("c7").getClassName()).toBe("LutConv2D");
    await conversion.redo();
    await conversion.undo();
    expect(conversion.model).toBe(network);
    expect(make).toHaveBeenCalledTimes(1);
    const tensors = tf.memory().numTensors;
    for (let i = 0; i < 3; i++) {
      await conversion.redo();
      expect(conversion.model.getLayer("c8").getClassName()).toBe("LutConv2D");
      await conversion.undo();
      expect(conversion.model.getLayer("c8").getClassName()).toBe("Conv2D");
    }
    expect(tf.memory().numTensors).toBe(tensors);
    await conversion.restoreAll();
  });
});
