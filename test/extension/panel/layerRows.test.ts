import { describe, expect, it } from "vitest";
import {
  layerRows,
  lossOf,
  type RowOrder,
  shownRows,
  sortedRows,
  sortKeys,
} from "../../../extension/src/panel/model/layerRows";
import { fakeLayer, fakeMeasures } from "../fixtures/conversion";

const accuracy = { name: "accuracy", unit: "%", higherIsBetter: true, dense: 90, now: 80 };
const names = ["conv10", "conv9", "Dense", "__proto__"];
const layers = names.map((name, index) => fakeLayer(index, name));
const measures = [
  { ...fakeMeasures("conv10", 0), onlyThis: 89 },
  { ...fakeMeasures("conv9", 1), onlyThis: 70, local: null, errorsState: 3 },
  { ...fakeMeasures("__proto__", 3), onlyThis: 91, state: 2 },
];
const rows = layerRows(layers, measures, accuracy, 4);
const namesOf = (order: RowOrder) => sortedRows(rows, order, "relative").map(({ layer }) => layer.name);

it("a loss is positive where the network is worse, whichever way the metric goes", () => {
  expect(lossOf(88, accuracy)).toBe(2);
  expect(lossOf(88, { ...accuracy, higherIsBetter: false })).toBe(-2);
  expect(lossOf(null, accuracy)).toBeNull();
  expect(lossOf(88, { ...accuracy, dense: null })).toBeNull();
});

it("a row finds the figures of its own layer, whatever its name is", () => {
  expect(rows.map(({ loss }) => loss)).toEqual([1, 20, null, -1]);
});

it("figures of another state than the present one are stale", () => {
  expect(rows.map(({ isStale }) => isStale.metrics)).toEqual([false, false, false, true]);
  expect(rows.map(({ isStale }) => isStale.errors)).toEqual([false, true, false, false]);
});

describe("sorting", () => {
  it("puts what was not measured last, either way", () => {
    expect(namesOf({ key: "loss", descending: true })).toEqual(["conv9", "conv10", "__proto__", "Dense"]);
    expect(namesOf({ key: "loss", descending: false })).toEqual(["__proto__", "conv10", "conv9", "Dense"]);
    expect(namesOf({ key: "local", descending: true }).slice(2)).toEqual(["conv9", "Dense"]);
  });

  it("by loss needs no measured dense network, whichever way the metric goes", () => {
    const lower = { ...accuracy, higherIsBetter: false, dense: null };
    const order = { key: "loss", descending: true } as const;
    const first = (of: typeof lower) =>
      sortedRows(layerRows(layers, measures, of, 4), order, "relative")[0].layer.name;
    expect([first(lower), first({ ...lower, higherIsBetter: true })]).toEqual(["__proto__", "conv9"]);
  });

  it("reads numbers in names", () => {
    const sorted = namesOf({ key: "name", descending: false });
    expect(sorted.indexOf("conv9")).toBeLessThan(sorted.indexOf("conv10"));
  });

  it.each(sortKeys)("by %s keeps every row, and the network's order among equals", (key) => {
    const alike = layers.map((layer) => ({ ...layer, state: "dense" as const, name: "x" }));
    const same = sortedRows(
      layerRows(alike, [], accuracy, 0),
      { key, descending: key !== "order" },
      "relative",
    );
    expect(same.map(({ index }) => index)).toEqual([0, 1, 2, 3]);
    expect(new Set(namesOf({ key, descending: true }))).toEqual(new Set(names));
  });
});

it("the filter takes a part of the name in either case, and the least loss", () => {
  const shown = (name: string, leastLoss: number | null) =>
    shownRows(rows, { name, leastLoss }).map(({ layer }) => layer.name);
  expect(shown("CONV", null)).toEqual(["conv10", "conv9"]);
  expect(shown(" dense ", null)).toEqual(["Dense"]);
  expect(shown("", 1)).toEqual(["conv10", "conv9"]);
  expect(shown("", -1)).toEqual(["conv10", "conv9", "__proto__"]);
  expect(shown("9", 20)).toEqual(["conv9"]);
});
