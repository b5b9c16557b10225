import { convert, type NotebookHost } from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readManifest } from "../../../kernel/lib/conversion/manifest";
import { callCode, expressionNow, Named, recordOf } from "../../../kernel/lib/conversion/record";
import { tinyData, tinyNetwork } from "../network";

/** The notebook's variables, of a host that knows names alone. */
const variables = new Map<object, string>();
const key = Symbol.for("lutnn.host");
beforeAll(() => {
  const comm = { id: "1", target: "", onMessage: null, onClose: null, send: () => {}, close: () => {} };
  const host: NotebookHost = {
    display: () => {},
    clearOutput: () => {},
    input: async () => "",
    comms: { open: () => comm, register: () => {} },
    nameOf: (value) => variables.get(value) ?? null,
    signal: new AbortController().signal,
  };
  Reflect.set(globalThis, key, host);
});
afterAll(() => {
  Reflect.deleteProperty(globalThis, key);
});

describe("a call as code", () => {
  it.each([
    [["conv2", { method: "kmeans" }], 'c.verb("conv2", { method: "kmeans" })'],
    [[{ a: undefined }], "c.verb()"],
    [[["a", "b"], {}], 'c.verb(["a", "b"])'],
    [[{ "block/1": 8, __proto__x: true }], 'c.verb({ "block/1": 8, __proto__x: true })'],
    [[JSON.parse('{ "__proto__": 4 }')], 'c.verb({ ["__proto__"]: 4 })'],
    [['"; evil(); "', -0.5, null], 'c.verb("\\"; evil(); \\"", -0.5, null)'],
  ])("is TypeScript that gives these arguments: %j", (args, code) => {
    const written = callCode(recordOf("verb", args), "c");
    expect(written).toEqual({ code });
    const seen: unknown[] = [];
    const c = { verb: (...given: unknown[]) => seen.push(...given) };
    new Function("c", code)(c);
    expect(JSON.stringify(seen)).toBe(JSON.stringify(args.filter((one) => JSON.stringify(one) !== "{}")));
  });

  it("names what has a name, and what was made of it", () => {
    const train = tinyData(30);
    variables.set(train, "train");
    const taken = train.take(20).skip(3);
    const record = recordOf("verb", [
      new Named(taken, "the data"),
      { validation: new Named(train, "these") },
    ]);
    expect(callCode(record, "c")).toEqual({
      code: "c.verb(train.take(20).skip(3), { validation: train })",
    });
    const [first, second] = train.split(0.5, 7);
    expect(expressionNow(first)).toBe("train.split(0.5, 7)[0]");
    expect(expressionNow(second.shuffle(2))).toBe("train.split(0.5, 7)[1].shuffle(2)");
    expect(expressionNow(train.sample(4, 1))).toBe("train.sample(4, 1)");
    // A name of its own goes before what it was made of; under another name it is another variable.
    variables.set(taken, "some");
    expect(callCode(record, "c")).toEqual({ code: "c.verb(some, { validation: train })" });
    variables.clear();
    expect(callCode(record, "c")).toEqual({
      unwritten: expect.stringContaining("no variable of the notebook holds the data"),
    });
  });
});

describe("the records of states", () => {
  it("are of every verb, with the options that matter", async () => {
    const model = tinyNetwork(3);
    const train = tinyData(60);
    const conversion = convert(model, { numCentroids: { c2: 8 } });
    for (const [value, name] of [
      [model, "model"],
      [train, "train"],
      [conversion, "conversion"],
    ] as const)
      variables.set(value, name);
    await conversion.calibrate(train, { seed: 2, signal: new AbortController().signal });
    await conversion.replace(["c2", "c3"]);
    await conversion.fineTune(train, { epochs: 1, validation: train.take(10), log: undefined });
    await conversion.restore("c2");
    await conversion.resize("c3", { numCentroids: 4 });
    await conversion.replaceAll();
    await conversion.applyPlan({ c3: null }, train, { seed: 1 });
    const lines = conversion.states.rows.map(({ id }) => conversion.lineOf(id));
    // The first was made before the network had a name, which is asked for when the code is.
    expect(lines).toEqual(
      [
        "lutnn.convert(model, { numCentroids: { c2: 8 } })",
        'conversion.calibrate(train, { method: "leastSquares", seed: 2 })',
        'conversion.replace(["c2", "c3"], { method: "leastSquares" })',
        "conversion.fineTune(train, { epochs: 1, validation: train.take(10) })",
        'conversion.restore("c2")',
        'conversion.resize("c3", { numCentroids: 4, subvectorLength: 9, data: train, seed: 0 })',
        'conversion.replace(["c2", "c4", "hidden"], { method: "leastSquares" })',
        'conversion.applyPlan({}, train, { method: "leastSquares", seed: 1 })',
      ].map((code) => ({ code })),
    );
    expect(conversion.code(2).split("\n")).toEqual([
      "const conversionState2 = lutnn.convert(model, { numCentroids: { c2: 8 } });",
      'await conversionState2.calibrate(train, { method: "leastSquares", seed: 2 });',
      'await conversionState2.replace(["c2", "c3"], { method: "leastSquares" });',
      "conversionState2;",
    ]);
    expect(() => conversion.code(99)).toThrow(/number from 0 to 7 \(got 99\)/);
    await conversion.restoreAll();
    variables.clear();
  });
});

describe("a stored record", () => {
  const stored = (values: object[], verb = "calibrate") =>
    JSON.stringify({
      format: "lutnn-conversion",
      version: 1,
      topology: "{}",
      dense: {},
      profile: {
        name: "paper",
        distance: "l2",
        tableScale: "layer",
        tableBits: 8,
        calibrate: { method: "kmeans", batchNorm: false, refineSteps: 0 },
        fineTune: {
          learningRate: 1,
          temperature: "learned",
          temperatureLearningRate: 1,
          softShare: 1,
          commitment: 0,
          centroidPull: 0,
          distillation: 0,
          distillationTemperature: 1,
        },
        stages: 1,
      },
      task: null,
      targets: [],
      states: [
        {
          id: 0,
          label: "convert",
          parent: null,
          state: { layers: {}, weights: {}, lastMethod: null, tuned: false },
          made: { verb, args: [{ $value: 0 }], values },
        },
      ],
      current: 0,
    });

  it("brings names, and no other code", () => {
    const read = (expression: string) => readManifest(stored([{ what: "data", expression }]), "m");
    for (const fine of ["train", "digits.train", "train.take(4096)", "a.split(0.8, 0)[1].skip(3)"])
      expect(callCode(read(fine).states[0].made!, "c")).toEqual({ code: `c.calibrate(${fine})` });
    for (const foul of ["evil()", "a;b", "a.take(evil())", "import('fs')", "a\\nb", ""])
      expect(() => read(foul)).toThrow(/damaged or of another version/);
    expect(() => readManifest(stored([], "x;y"), "m")).toThrow(/damaged or of another version/);
  });
});
