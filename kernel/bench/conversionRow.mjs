// One verb of a conversion in a process of its own: node conversionRow.mjs '{"network":"resnet18","verb":"save",…}'
// Prints JSON: seconds by the clock, processor seconds of all threads, and the bytes by which the peak of the resident
// memory during the verb exceeds what was resident before it, with the networks that it needs and no data in memory.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const lutnn = require("../lib/index.js");
const { measureSensitivity } = require("../lib/conversion/plan/sensitivity.js");
const { chooseTargets } = require("../lib/conversion/targets.js");
const { NetworkGraph } = require("../lib/layers/graph.js");
const { taskOf } = require("../lib/training/taskOf.js");

const { network, verb, images, width, blocks, folder } = JSON.parse(process.argv[2]);

/** Networks by name: at the size of the paper unless a row says another. */
const networks = {
  resnet18: { make: lutnn.models.resnet18, size: 32, classes: 10 },
  vgg11: { make: lutnn.models.vgg11, size: 32, classes: 10 },
  senet18: { make: lutnn.models.senet18, size: 32, classes: 10 },
  "resnet18-224": { make: lutnn.models.resnet18, size: 224, classes: 1000 },
};
const { make, size, classes } = networks[network];
const build = () =>
  make({
    inputShape: [size, size, 3],
    numClasses: classes,
    ...(width ? { width } : {}),
    ...(blocks ? { blocks } : {}),
  });

/** Images that are made as they are asked for, so that none is in memory: waves with noise, a label each. */
function data(count, from = 0) {
  const read = (index) => {
    const values = new Float32Array(size * size * 3);
    let state = (from + index + 1) * 2654435761;
    const [fx, fy] = [1 + ((index * 7) % 5), 1 + ((index * 3) % 4)];
    const row = Float32Array.from({ length: size }, (_, at) => Math.sin((fx * 6.28 * at) / size));
    const column = Float32Array.from({ length: size }, (_, at) => Math.cos((fy * 6.28 * at) / size));
    for (let y = 0, at = 0; y < size; y++)
      for (let x = 0; x < size; x++)
        for (let channel = 0; channel < 3; channel++, at++) {
          state = (Math.imul(state, 1664525) + 1013904223) | 0;
          values[at] = row[x] * column[y] + channel / 3 + state / 2 ** 32;
        }
    return { inputs: { image: values }, target: (from + index) % classes };
  };
  return lutnn.datasets.indexed({
    name: "waves",
    size: count,
    inputs: [{ name: "image", shape: [size, size, 3], dtype: "float32" }],
    target: { kind: "class", classes },
    version: "1",
    read,
  });
}

/** Linux's own mark of this process; elsewhere the system's, which counts kibibytes. */
function peakBytes() {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
}

/** What was resident before, from now on; on Linux the mark begins anew. */
function beginPeak() {
  globalThis.gc?.();
  if (process.platform === "linux") writeFileSync("/proc/self/clear_refs", "5");
  return process.memoryUsage.rss();
}

/** The work of the first row of a network, all layers replaced by k-means. */
const stored = join(folder, `${network}-${width ?? ""}-${blocks ?? ""}`);
const opened = async () => {
  const conversion = await lutnn.openConversion(stored);
  conversion.model.predict(lutnn.tf.zeros([1, size, size, 3])).dispose();
  return conversion;
};
const one = { epochs: 1, batchSize: 64 };

/** By verb: what is made ready, and then the verb itself on that. */
const verbs = {
  convert: { ready: build, run: (model) => lutnn.convert(model) },
  train: { ready: build, run: (model) => lutnn.fit(model, data(images), { ...one, learningRate: 1e-4 }) },
  kmeans: {
    ready: () => lutnn.convert(build(), { profile: "paper" }),
    run: (conversion) => conversion.calibrate(data(images), { method: "kmeans" }),
    after: async (conversion) => {
      await conversion.replaceAll();
      await conversion.store(stored);
    },
  },
  leastSquares: {
    ready: () => lutnn.convert(build()),
    run: (conversion) => conversion.calibrate(data(images), { method: "leastSquares" }),
  },
  "replace all": {
    ready: async () => {
      const conversion = await opened();
      await conversion.restoreAll();
      return conversion;
    },
    run: async (conversion) => {
      await conversion.replaceAll();
      return conversion.model;
    },
  },
  "restore one by one": {
    ready: opened,
    run: async (conversion) => {
      for (const { name } of conversion.layers) await conversion.restore(name);
      return conversion.model;
    },
  },
  "replace one by one": {
    ready: async () => {
      const conversion = await opened();
      await conversion.restoreAll();
      return conversion;
    },
    run: async (conversion) => {
      for (const { name } of conversion.layers) await conversion.replace(name);
      return conversion.model;
    },
  },
  "error accumulation": {
    ready: opened,
    run: (conversion) => conversion.errorAccumulation(data(images)),
  },
  "fine-tune": {
    ready: opened,
    run: (conversion) => conversion.fineTune(data(images), { ...one, learningRate: 1e-4 }),
  },
  sensitivity: {
    ready: build,
    run: (model) => {
      const graph = new NetworkGraph(model);
      return measureSensitivity({
        graph,
        targets: chooseTargets(graph, {}),
        task: taskOf(model).checkTarget("sensitivity", data(1).target, "waves"),
        profile: lutnn.profiles.plus,
        data: data(images),
        validation: data(images, images),
        numCentroids: [16],
        subvectorMultiples: [1],
        seed: 0,
        latency: false,
        signal: new AbortController().signal,
      });
    },
  },
  plan: {
    ready: build,
    run: (model) =>
      lutnn.plan(model, {
        data: data(images),
        validation: data(images, images),
        budget: { flops: 1e12 },
        numCentroids: [16],
        subvectorMultiples: [1],
      }),
  },
  save: {
    ready: opened,
    run: (conversion) => conversion.save(join(folder, `${process.pid}.onnx`), { check: false }),
  },
  "checked save": {
    ready: opened,
    run: (conversion) => conversion.save(join(folder, `${process.pid}.onnx`)),
  },
  store: { ready: opened, run: (conversion) => conversion.store(join(folder, `${process.pid}`)) },
  "open conversion": { ready: () => undefined, run: () => opened() },
  "verify native": {
    ready: opened,
    run: (conversion) => lutnn.inference.verifyNative(conversion.model, data(images), { examples: images }),
  },
};

const { ready, run, after } = verbs[verb];
const given = await ready();
const before = beginPeak();
const processor = process.cpuUsage();
const start = performance.now();
const result = await run(given);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(processor);
const peak = peakBytes();
await after?.(given, result);
for (const made of [`${process.pid}.onnx`, `${process.pid}`])
  rmSync(join(folder, made), { recursive: true, force: true });
console.log(JSON.stringify({ seconds, processorSeconds: (user + system) / 1e6, peakBytes: peak - before }));
