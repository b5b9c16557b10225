import { denseCost, lookupCost, parseErrorAccumulation } from "lutnn";
import { describe, expect, it } from "vitest";
import { totalCost } from "../../../kernel/src/report/counting";

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

  it("counts a byte for each number of integer centroids, and four for each half norm", () => {
    const sizes = { positions: 3, inputLength: 36, outputs: 5, numCentroids: 7, subvectorLength: 9 };
    const table = 4 * 7 * 5;
    expect(lookupCost(sizes).bytes).toBe(4 * 7 * 36 + table);
    expect(lookupCost({ ...sizes, codes: "int8" }).bytes).toBe(7 * 36 + 4 * 4 * 7 + table);
  });

  it("adds up from nothing", () => {
    expect(totalCost([])).toEqual({ operations: 0, bytes: 0 });
    expect(
      totalCost([
        { operations: 3, bytes: 5 },
        { operations: 10, bytes: 70 },
      ]),
    ).toEqual({
      operations: 13,
      bytes: 75,
    });
  });

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
  const layer = { name: "a", op: "conv2d", numCentroids: 16, subvectorLength: 9, numCodebooks: 4 };
  const report = {
    version: 1,
    runId: "r",
    sequence: 1,
    done: true,
    model: "m",
    data: { name: "d", size: 1 },
    metric: { name: "accuracy", unit: "%", higherIsBetter: true, dense: 99 },
    layers: [layer],
    series: [series],
  };

  it("takes a whole one, newer fields and those that older ones lack included", () => {
    for (const whole of [
      report,
      { ...report, backend: "native avx2", divergenceUnit: "nats", more: [1] },
      { ...report, series: [] },
    ])
      expect(parseErrorAccumulation(whole)).toBe(whole);
  });

  it.each([
    [null, "the report must be a JSON object (got null)"],
    ["text", 'the report must be a JSON object (got "text")'],
    [[], "the report must be a JSON object (got [])"],
    [
      { ...report, version: 2 },
      "the report's version must be 1, which this reader knows (got 2); update the extension, or measure again",
    ],
    [{}, "(got nothing); update the extension, or measure again"],
    [{ ...report, layers: 3 }, "the report's layers must be a list (got 3)"],
    [{ ...report, series: undefined }, "the report's series must be a list (got nothing)"],
    [{ ...report, metric: {} }, "the report's metric.name must be a text (got nothing)"],
    [
      { ...report, metric: { ...report.metric, dense: "99" } },
      'the report\'s metric.dense must be a number (got "99")',
    ],
    [{ ...report, runId: undefined }, "the report's runId must be a text (got nothing)"],
    [{ ...report, done: 1 }, "the report's done must be true or false (got 1)"],
    [{ ...report, data: null }, "the report's data must be an object (got null)"],
    [
      { ...report, data: { name: "d", size: 1, metricSize: "few" } },
      'the report\'s data.metricSize must be a number (got "few")',
    ],
    [{ ...report, backend: 5 }, "the report's backend must be a text (got 5)"],
    [{ ...report, layers: [{}] }, "the report's layers[0].name must be a text (got nothing)"],
    [
      { ...report, layers: [{ ...layer, op: "conv9d" }] },
      'the report\'s layers[0].op must be one of conv1d, conv2d, dense (got "conv9d")',
    ],
    [{ ...report, series: [null] }, "the report's series[0] must be an object (got null)"],
    [
      { ...report, series: [{ ...series, errors: [] }] },
      "the report's series k-means must have one entry for each layer (got 0 for 1)",
    ],
    [
      { ...report, series: [{ ...series, metric: "90" }] },
      'the report\'s series[0].metric must be a number (got "90")',
    ],
    [
      { ...report, series: [{ ...series, metric: Number.POSITIVE_INFINITY }] },
      "the report's series[0].metric must be a number",
    ],
    [
      { ...report, series: [{ ...series, errors: [null] }] },
      "the report's series[0].errors[0] must be an object (got null)",
    ],
    [
      { ...report, series: [{ ...series, errors: [{ ...entry, state: "half" }] }] },
      'the report\'s series[0].errors[0].state must be one of dense, replaced (got "half")',
    ],
    [
      { ...report, series: [{ ...series, errors: [{ ...entry, local: { relative: 1 } }] }] },
      "the report's series[0].errors[0].local.unexplained must be a number (got nothing)",
    ],
    [
      { ...report, series: [{ ...series, errors: [{ ...entry, metric: "x".repeat(60) }] }] },
      `the report's series[0].errors[0].metric must be a number (got "${"x".repeat(38)}…)`,
    ],
  ])("says what is wrong with %j", (data, message) => {
    expect(parseErrorAccumulation(data)).toContain(message);
  });
});
