import { denseCost, lookupCost, parseErrorAccumulation } from "lutnn";
import { describe, expect, it } from "vitest";

/** ResNet18 for CIFAR-10 by the paper's rule: [N, D, M, V, how many such layers]; V null is not replaced. */
const resnet18: [number, number, number, number | null, number][] = [
  [1024, 27, 64, null, 1],
  [1024, 576, 64, 9, 4],
  [256, 576, 128, 9, 1],
  [256, 1152, 128, 9, 3],
  [256, 64, 128, 4, 1],
  [64, 1152, 256, 9, 1],
  [64, 2304, 256, 9, 3],
  [64, 128, 256, 4, 1],
  [16, 2304, 512, 9, 1],
  [16, 4608, 512, 9, 3],
  [16, 256, 512, 4, 1],
  [1, 512, 10, null, 1],
];

describe("counting", () => {
  it.each([
    [16, 131_273_728, 22_227_712],
    [8, 97_719_296, 11_127_552],
  ])(
    "reproduces the published totals of ResNet18 on CIFAR-10 (K = %i)",
    (numCentroids, operations, bytes) => {
      const total = { dense: { operations: 0, bytes: 0 }, lookup: { operations: 0, bytes: 0 } };
      for (const [positions, inputLength, outputs, V, times] of resnet18) {
        const sizes = { positions, inputLength, outputs, numCentroids, subvectorLength: V ?? 1 };
        const [dense, lookup] = [denseCost(sizes), V === null ? denseCost(sizes) : lookupCost(sizes)];
        for (const key of ["operations", "bytes"] as const) {
          total.dense[key] += times * dense[key];
          total.lookup[key] += times * lookup[key];
        }
      }
      expect(total.dense.operations).toBe(555_422_720);
      expect(total.lookup.operations).toBe(operations);
      // The published bytes also hold the last layer's bias of 10 float32, which the rule leaves out.
      expect(44_657_408 - total.dense.bytes).toBe(0);
      expect(total.lookup.bytes).toBe(bytes);
    },
  );

  it("gives one table of the weights' bytes a code 64 times smaller than a sub-vector (K = 16, V = 16)", () => {
    const sizes = { positions: 1, inputLength: 1024, outputs: 1024, numCentroids: 16, subvectorLength: 16 };
    const table = lookupCost(sizes).bytes - 4 * 16 * 1024;
    expect(table).toBe(1024 * 1024); // as many entries as weights
  });
});

describe("reading a report", () => {
  const error = { relative: 0.1, unexplained: 0.1 };
  const entry = { state: "replaced", local: error, accumulated: null, metric: null };
  const series = { name: "k-means", errors: [entry], metric: 90, divergence: null };
  const report = {
    version: 1,
    runId: "r",
    sequence: 1,
    done: true,
    model: "m",
    data: { name: "d", size: 1 },
    metric: { name: "accuracy", unit: "%", higherIsBetter: true, dense: 99 },
    layers: [{ name: "a" }],
    series: [series],
  };

  it("takes a whole one", () => {
    expect(parseErrorAccumulation(report)).toBe(report);
  });

  it.each([
    [null, "not a JSON object"],
    ["text", "not a JSON object"],
    [{ ...report, version: 2 }, "version 2 is not known"],
    [{ ...report, layers: 3 }, "no layers or series"],
    [{ ...report, metric: {} }, "no metric"],
    [{ ...report, runId: undefined }, "which run and model"],
    [{ ...report, data: null }, "on what data"],
    [{ ...report, data: { name: "d", size: 1, metricSize: "few" } }, "examples for the metric"],
    [{ ...report, layers: [{}] }, "no name"],
    [{ ...report, series: [null] }, "no name"],
    [
      { ...report, series: [{ ...series, errors: [] }] },
      "the series k-means does not have one entry per layer",
    ],
    [{ ...report, series: [{ ...series, metric: "90" }] }, "metric that is not a number"],
    [
      { ...report, series: [{ ...series, errors: [null] }] },
      "entry 0 of the series k-means is not an object",
    ],
    [{ ...report, series: [{ ...series, errors: [{ ...entry, state: "half" }] }] }, "has the state half"],
    [
      { ...report, series: [{ ...series, errors: [{ ...entry, local: { relative: 1 } }] }] },
      "error that is not two numbers",
    ],
    [
      { ...report, series: [{ ...series, errors: [{ ...entry, metric: "x" }] }] },
      "metric that is not a number",
    ],
  ])("says what is wrong with %j", (data, message) => {
    expect(parseErrorAccumulation(data)).toContain(message);
  });
});
