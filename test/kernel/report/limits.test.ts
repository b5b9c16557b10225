// What a message may hold at most, and what fits into a figure: each at the limit and one beyond.
import { describe, expect, it, test } from "vitest";
import {
  decimalsOf,
  equalDecimals,
  formatError,
  formatLayer,
  formatMetric,
  shortNumber,
  unitOf,
  withUnit,
} from "../../../kernel/src/report/format";
import { sizeFault } from "../../../kernel/src/report/jsonSize";
import { parseKernelMessage } from "../../../kernel/src/report/readKernelMessage";
import { parsePanelMessage } from "../../../kernel/src/report/readPanelMessage";
import {
  breakLines,
  buttons,
  legendPlace,
  legendRows,
  letterWidth,
  shorten,
} from "../../../kernel/src/report/textFit";

describe("a message's size", () => {
  const limits = { values: 5, characters: 6 };
  const fault = (value: unknown) => sizeFault("it", value, limits);

  it("counts every value of every level, lists and objects themselves included", () => {
    expect(fault([1, 2, 3, 4])).toBeNull(); // the list and four numbers
    expect(fault([1, 2, 3, 4, 5])).toBe("it must hold at most 5 values (it holds more)");
    expect(fault({ a: [1, 2], b: null })).toBeNull();
    expect(fault({ a: [1, 2], b: [null] })).toMatch(/5 values/);
    expect(fault([[[[1]]]])).toBeNull();
    expect(fault([[[[[1]]]]])).toMatch(/5 values/);
  });

  it("counts the characters of texts and of names together", () => {
    expect(fault({ abc: "def" })).toBeNull();
    expect(fault({ abc: "defg" })).toBe("it must hold at most 6 characters (it holds more)");
    expect(fault({ abcdefg: 1 })).toMatch(/6 characters/);
    expect(fault(["abc", "def"])).toBeNull();
    expect(fault(["abc", "defg"])).toMatch(/6 characters/);
  });

  it("of a panel is at most 20,000 values and 1,000,000 characters", () => {
    const about = (layers: string[]) =>
      parsePanelMessage({
        type: "command",
        request: 1,
        conversion: "c",
        command: { verb: "restore", layers },
      });
    const error = (read: object) => ("error" in read ? read.error : null);
    expect(error(about(Array(19_990).fill("")))).toBeNull();
    expect(error(about(Array(20_000).fill("")))).toMatch(/at most 20,000 values/);
    expect(error(about(Array(999).fill("x".repeat(1_000))))).toBeNull();
    expect(error(about(Array(1_000).fill("x".repeat(1_000))))).toMatch(/at most 1,000,000 characters/);
  });
});

describe("what a kernel says to a panel", () => {
  it("holds at most 4,000,000 values and 32,000,000 characters", () => {
    const kept = (text: string, warnings: string[]) =>
      parseKernelMessage({ type: "done", request: 1, text, warnings });
    const own = "typerequesttextwarningsdone".length; // its names, and its type
    expect(kept("x".repeat(32_000_000 - own), [])).toBeTypeOf("object");
    expect(kept("x".repeat(32_000_001 - own), [])).toMatch(/at most 32,000,000 characters/);
    // Beside the message and its four fields. As many as there may be would take seconds to read.
    expect(kept("", Array(4_000_001 - 5).fill(""))).toMatch(/at most 4,000,000 values/);
  });
});

describe("what a panel asks", () => {
  const errorOf = (command: object) => {
    const read = parsePanelMessage({ type: "command", request: 1, conversion: "c", command });
    return "error" in read ? read.error : null;
  };
  test("has names of at most a thousand characters", () => {
    expect(errorOf({ verb: "restore", layers: ["x".repeat(1_000)] })).toBeNull();
    expect(errorOf({ verb: "restore", layers: ["x".repeat(1_001)] })).toMatch(/at most 1000 characters/);
  });
  test("counts from 1, and numbers states from 0", () => {
    expect(errorOf({ verb: "fineTune", epochs: 1 })).toBeNull();
    expect(errorOf({ verb: "fineTune", epochs: 0 })).toMatch(/at least 1/);
    expect(errorOf({ verb: "goTo", state: 0 })).toBeNull();
    expect(errorOf({ verb: "goTo", state: -1 })).toMatch(/at least 0/);
  });
  test("has a learning rate above 0", () => {
    expect(errorOf({ verb: "fineTune", epochs: 1, learningRate: 1e-9 })).toBeNull();
    expect(errorOf({ verb: "fineTune", epochs: 1, learningRate: 0 })).toMatch(/above 0/);
  });
});

describe("texts in figures", () => {
  const letters = (count: number) => count * letterWidth;

  it("are shortened at their beginning", () => {
    expect([shorten("layer1.conv", 11), shorten("layer1.conv", 6)]).toEqual(["layer1.conv", "….conv"]);
  });

  it("break where the next word would not fit, and nowhere within a word", () => {
    expect(breakLines("ab cd ef", letters(5))).toEqual(["ab cd", "ef"]);
    expect(breakLines("ab cd ef", letters(5) - 1)).toEqual(["ab", "cd", "ef"]);
    expect(breakLines("abcdefgh i", letters(3))).toEqual(["abcdefgh", "i"]);
    expect(breakLines("", letters(3))).toEqual([""]);
  });

  it("of a legend go on in another row where one is full", () => {
    const entry = 45 + letters(4);
    const names = ["four", "four", "four"];
    const rows = [3 * entry, 3 * entry - 1, 2 * entry - 1, 1].map((width) => legendRows(names, width));
    expect(rows).toEqual([1, 2, 3, 3]);
    expect(legendRows([], 100)).toBe(1);
  });

  it("of a legend stand beside the buttons where there is room, else below them", () => {
    const width = 2 * (45 + letters(4)) + buttons.width;
    expect(legendPlace(["four", "four"], width)).toEqual({ top: 0, rows: 1 });
    expect(legendPlace(["four", "four"], width - 1)).toEqual({ top: buttons.height, rows: 1 });
  });
});

describe("numbers in figures", () => {
  it("have three digits, and no zeros that say nothing", () => {
    expect([0, 1234.5, 0.00012345, 2.5, 100].map(shortNumber)).toEqual([
      "0",
      "1230",
      "0.000123",
      "2.5",
      "100",
    ]);
    expect([0, 0.5, 9.99, 10, 99, 100, -5, 1e-12].map(decimalsOf)).toEqual([0, 3, 2, 1, 1, 0, 2, 8]);
  });

  it("of a column have the decimals of the smallest and of the largest", () => {
    expect(equalDecimals([1, 2, 300])).toBe(0);
    expect(equalDecimals([0, Number.NaN, Number.POSITIVE_INFINITY])).toBe(0);
    expect(equalDecimals([0.5, 20])).toBe(2);
    expect(equalDecimals([-0.05, 0.2])).toBe(3);
    expect(equalDecimals([2.5])).toBe(2);
    expect(equalDecimals([1e-9, 1])).toBe(6);
    expect(equalDecimals([1500.5])).toBe(0);
  });

  it("carry the unit that an axis names, and a dash where nothing was measured", () => {
    expect(["accuracy (%)", "time (µs, logarithmic)", "loss", "a (b) c"].map(unitOf)).toEqual([
      "%",
      "µs",
      "",
      "",
    ]);
    expect([withUnit("1", "%"), withUnit("1", "")]).toEqual(["1 %", "1"]);
    expect([formatError(0.12345), formatError(null), formatError(undefined)]).toEqual(["0.123", "–", "–"]);
    const metric = (value: number | null, dense: number, unit = "%") => formatMetric(value, { dense, unit });
    expect([metric(9, 97.3), metric(null, 97.3), metric(0.5, 0.31, ""), metric(1234.56, 1500)]).toEqual([
      "9.00 %",
      "–",
      "0.5000",
      "1235 %",
    ]);
    expect([metric(1, 0), metric(0.5, 0.031, "")]).toEqual(["1.0000 %", "0.5000"]); // at most four
    const layer = { op: "conv2d", numCentroids: 16, subvectorLength: 9, numCodebooks: 4 };
    expect([formatLayer(layer, true), formatLayer(layer, false)]).toEqual([
      "conv2d, K 16, V 9, C 4",
      "conv2d, not replaced",
    ]);
  });
});
