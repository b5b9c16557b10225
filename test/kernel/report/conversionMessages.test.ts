import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { KernelMessage, PanelMessage } from "../../../kernel/src/report/conversionMessages";
import { parseKernelMessage } from "../../../kernel/src/report/readKernelMessage";
import { parsePanelMessage } from "../../../kernel/src/report/readPanelMessage";

const conversion = "c1";
const panelMessages: PanelMessage[] = [
  { type: "watch", conversion: null },
  { type: "watch", conversion },
  { type: "cancel", conversion, command: 3 },
  ...(
    [
      { verb: "calibrate", method: "kmeans" },
      { verb: "calibrate", method: "kmeans", layers: ["conv2"] },
      { verb: "replace", layers: ["__proto__", "<b>"] },
      { verb: "restore", layers: [] },
      { verb: "replaceUpTo", layer: "conv2" },
      { verb: "resize", layer: "conv2", numCentroids: 8, subvectorLength: 18 },
      { verb: "fineTune", epochs: 2, learningRate: 0.001 },
      { verb: "measure", what: "layers" },
      { verb: "plan", cost: "bytes" },
      { verb: "applyPlan", point: 0 },
      { verb: "undo" },
      { verb: "redo" },
      { verb: "goTo", state: 0 },
      { verb: "nameState", state: 1, label: "best" },
      { verb: "save", path: "network.lut.onnx", remainder: "int8", reopen: true, overwrite: false },
    ] as const
  ).map((command) => ({ type: "command", request: 1, conversion, command }) as PanelMessage),
  { type: "question", request: 1, conversion, question: { about: "layer", layer: "conv2" } },
  { type: "question", request: 1, conversion, question: { about: "comparison", a: 0, b: 1 } },
  { type: "question", request: 1, conversion, question: { about: "cell", state: 4 } },
];

const cost = { operations: 1, bytes: 2, milliseconds: null };
const snapshot = {
  type: "snapshot",
  conversion,
  sequence: 1,
  whole: true,
  sections: {
    overview: {
      model: "m",
      task: "one of 10",
      profile: "plus",
      metric: { name: "accuracy", unit: "%", higherIsBetter: true, dense: null, now: 97 },
      train: { variable: "train", name: "digits", size: 100 },
      validation: null,
      remarks: [],
      methods: [{ name: "kmeans", title: "k-means", trainable: true }],
      defaults: { method: "leastSquares", learningRate: 0.003 },
      cost: { dense: cost, now: cost, all: cost },
    },
    layers: [
      {
        name: "conv2",
        op: "conv2d",
        state: "dense",
        method: null,
        positions: 4,
        inputLength: 9,
        outputs: 3,
        inputShape: [4, 4, 1],
        outputShape: [2, 2, 3],
        numCentroids: 16,
        subvectorLength: 9,
        numCodebooks: 1,
        choices: { numCentroids: [8, 16], subvectorLengths: [9] },
        before: cost,
        after: cost,
      },
    ],
    measures: [
      {
        layer: "conv2",
        state: 0,
        errorsState: null,
        onlyThis: 97,
        allButThis: null,
        local: { relative: 0.1, unexplained: 0.05 },
        accumulated: null,
      },
    ],
    history: {
      states: [
        {
          id: 0,
          label: "convert",
          parent: null,
          replaced: 0,
          tuned: false,
          metric: null,
          code: "lutnn.convert(model)",
          unwritten: null,
        },
      ],
      current: 0,
      undo: false,
      redo: false,
    },
    commands: [
      {
        id: 1,
        name: "fine-tune",
        state: "running",
        progress: { done: 1, total: 2, unit: "examples", etaSeconds: 1.5, text: "fine-tune 50 %" },
      },
    ],
    training: { command: "fine-tune", points: [{ epoch: 0.5, loss: 1, metric: null }], done: false },
    errors: null,
    plan: {
      cost: "flops",
      points: [{ cost: 1, harm: 0, measuredDrop: null, replaced: 0 }],
      divergenceUnit: "nats",
      now: { cost: 1, point: 0 },
    },
  },
} satisfies KernelMessage;
const kernelMessages: KernelMessage[] = [
  {
    type: "conversions",
    version: 1,
    conversions: [{ id: conversion, model: "m", variable: null }],
    asked: conversion,
  },
  snapshot,
  { ...snapshot, whole: false, sections: { training: null } },
  { type: "done", request: 1, text: "replaced", warnings: ["few rows"] },
  { type: "failed", request: 1, error: "no data" },
  { type: "refused", error: "the message must be an object" },
  {
    type: "layer",
    request: 1,
    detail: {
      layer: "conv2",
      state: 0,
      codebooks: [{ counts: [1, 2], error: 0.1 }],
      inputs: { edges: [0, 1], counts: [3] },
      centroidValues: [0.5],
      rows: 3,
    },
  },
  {
    type: "comparison",
    request: 1,
    comparison: {
      a: 0,
      b: 1,
      layers: [
        {
          name: "conv2",
          a: { is: "dense", onlyThis: null, allButThis: null },
          b: { is: "k-means", onlyThis: 97.5, allButThis: 96 },
          moved: null,
        },
      ],
    },
  },
  { type: "cell", request: 1, code: "await conversion.undo()" },
];

describe("messages of a panel", () => {
  it.each(panelMessages.map((message) => [JSON.stringify(message), message] as const))(
    "are read as they are: %s",
    (_, message) => {
      expect(parsePanelMessage(JSON.parse(JSON.stringify(message)))).toEqual({ message });
    },
  );

  it.each([
    [null, null, "the message must be an object (got null)"],
    [[], null, "the message must be an object (got [])"],
    [
      { type: "constructor" },
      null,
      /type must be one of watch, command, cancel, question \(got "constructor"\)/,
    ],
    [{ type: "watch" }, null, "the message's conversion must be a text (got nothing)"],
    [
      { type: "command", request: 7, conversion, command: { verb: "undo!" } },
      7,
      /the command's verb must be one of/,
    ],
    [
      { type: "command", request: 7, conversion, command: "undo" },
      7,
      'the command must be an object (got "undo")',
    ],
    [
      { type: "command", request: 7, conversion, command: { verb: "goTo", state: -1 } },
      7,
      "the command's state must be at least 0 (got -1)",
    ],
    [
      { type: "command", request: 7, conversion, command: { verb: "fineTune", epochs: 0.5 } },
      7,
      "the command's epochs must be a whole number (got 0.5)",
    ],
    [
      { type: "command", request: 7, conversion, command: { verb: "replace", layers: ["a", 3] } },
      7,
      "the command's layers[1] must be a text (got 3)",
    ],
    [
      { type: "question", request: 7, conversion, question: { about: "layer", layer: "x".repeat(1001) } },
      7,
      /the question's layer must have at most 1000 characters \(got "xxx/,
    ],
    [
      { type: "command", request: -3, conversion, command: { verb: "undo" } },
      null,
      /request must be at least 0/,
    ],
    [
      {
        type: "command",
        request: 7,
        conversion,
        command: { verb: "replace", layers: Array(20_001).fill("a") },
      },
      null,
      "the message must hold at most 20,000 values (it holds more)",
    ],
    [
      { type: "watch", conversion: "x".repeat(1_000_001) },
      null,
      "the message must hold at most 1,000,000 characters (it holds more)",
    ],
  ])("are refused in a sentence: %j", (data, request, sentence) => {
    const read = parsePanelMessage(data);
    expect(read).toMatchObject({ request });
    expect(read).toHaveProperty(
      "error",
      typeof sentence === "string" ? sentence : expect.stringMatching(sentence),
    );
  });

  it("lose what nobody asked for", () => {
    const read = parsePanelMessage({ type: "watch", conversion, more: 1 });
    expect(read).toEqual({ message: { type: "watch", conversion } });
  });
});

describe("messages of the kernel", () => {
  it.each(kernelMessages.map((message, i) => [`${i} ${message.type}`, message] as const))(
    "are read as they are: %s",
    (_, message) => {
      expect(parseKernelMessage(JSON.parse(JSON.stringify(message)))).toEqual(message);
    },
  );

  it("are refused where their version is another", () => {
    expect(parseKernelMessage({ type: "conversions", version: 2, conversions: [] })).toBe(
      "the message's version must be 1, which this reader knows; update the extension or lutnn (got 2)",
    );
  });

  it("are refused where one field is of another kind", () => {
    const broken = structuredClone(snapshot) as object as { sections: { layers: { state: string }[] } };
    broken.sections.layers[0].state = "melted";
    expect(parseKernelMessage(broken)).toBe(
      'the message\'s sections.layers[0].state must be one of dense, calibrated, replaced, training (got "melted")',
    );
  });
});

describe("hostile messages", () => {
  it("never throw, whatever JSON they are", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), fc.integer({ min: 0, max: 50 }), (value, pick) => {
        const whole = [...panelMessages, ...kernelMessages] as object[];
        const one = structuredClone(whole[pick % whole.length]) as Record<string, unknown>;
        // One field anywhere becomes something else.
        const keys = Object.keys(one);
        one[keys[pick % keys.length]] = value;
        for (const data of [value, one]) {
          const read = parsePanelMessage(data);
          expect("message" in read || typeof read.error === "string").toBe(true);
          expect(["string", "object"]).toContain(typeof parseKernelMessage(data));
        }
      }),
      { numRuns: 500 },
    );
  });

  it("are refused in a sentence however deep they are", () => {
    let deep: unknown = 1;
    for (let level = 0; level < 10_000; level++) deep = [deep];
    expect(parsePanelMessage({ type: "watch", conversion: deep })).toEqual({
      error: "the message's conversion must be a text (got what is no JSON)",
      request: null,
    });
  });
});
