// The panel's side of a conversion without a kernel's process: what stands in its sections, and what its commands do.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Conversion, convert, datasets, fileInfo, type NotebookHost, panel, tf } from "lutnn";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { PanelClient } from "../../protocol/panelClient";
import { tinyData, tinyNetwork } from "../network";
import { randomFloats } from "../random";
import { NotebookHere } from "./notebookHere";

const [train, validation] = [tinyData(60), tinyData(30, 2)];
let notebook: NotebookHere;
let dense: tf.LayersModel;
let conversion: Conversion;
let view: PanelClient;
let id: string;

beforeAll(() => {
  notebook = new NotebookHere();
  dense = tinyNetwork(8);
  convert(dense); // the first one: the notebook opens a comm for it
});
afterAll(() => {
  Reflect.deleteProperty(globalThis, Symbol.for("lutnn.host"));
});
beforeEach(async () => {
  notebook.variables.clear();
  conversion = convert(dense, { task: "classification" });
  notebook.variables.set(conversion, "mine");
  view = await PanelClient.open(notebook);
  id = await view.find("mine");
  await view.watch(id);
});

const overview = () => view.sections.overview!;
const calibrated = async () => {
  await conversion.useData({ train, validation });
  await conversion.calibrate(train, { method: "kmeans" });
};
const sum = (numbers: number[]) => numbers.reduce((all, one) => all + one, 0);

describe("what a panel is shown", () => {
  it("costs are those of the whole network: dense, as it is now, and with all layers replaced", async () => {
    await calibrated();
    const { rows, rest, network } = conversion.layers;
    const stays = sum(rest.map(({ cost }) => cost.operations));
    await view.until(() => view.sections.layers![0].state === "calibrated");
    expect(overview().cost.now).toEqual(overview().cost.dense);
    expect(overview().cost.dense).toMatchObject({ operations: network.dense.operations, milliseconds: null });
    expect(overview().cost.all).toMatchObject({ bytes: network.lookup.bytes, milliseconds: null });
    await conversion.replace(rows[1].name);
    await view.until(() => view.sections.layers![1].state === "replaced");
    const parts = rows.map(({ before, after }, i) => (i === 1 ? after : before));
    expect(overview().cost.now.operations).toBe(stays + sum(parts.map(({ operations }) => operations)));
    await conversion.replaceAll();
    await view.until(() => view.sections.layers!.every(({ state }) => state === "replaced"));
    expect(overview().cost.now).toEqual(overview().cost.all);
    expect(view.sections.layers!.map(({ before }) => before.operations)).toEqual(
      rows.map(({ before }) => before.operations),
    );
    expect(view.sections.layers!.map(({ after }) => after.bytes)).toEqual(
      rows.map(({ after }) => after.bytes),
    );
  });

  it("metrics belong to a state: the dense one's to each without lookups, others' to themselves", async () => {
    await calibrated();
    await conversion.evaluateDense(validation);
    await view.until(() => overview().metric!.dense !== null);
    const { metric } = overview();
    expect(metric).toMatchObject({ name: "accuracy", unit: "%", higherIsBetter: true, now: metric!.dense });
    await conversion.replaceAll();
    await view.until(() => view.sections.history!.current === 2);
    expect(overview().metric!.now).toBe(null);
    expect(view.sections.history!.states.map(({ replaced, metric }) => [replaced, metric])).toEqual([
      [0, metric!.dense],
      [0, metric!.dense],
      [conversion.layers.rows.length, null],
    ]);
    const { value } = (await conversion.evaluate(validation)).metric;
    await view.until(() => overview().metric!.now !== null);
    expect(overview().metric!.now).toBe(value);
    expect(view.sections.history!.states[2].metric).toBe(value);
  });

  it("a state says its label, its parent, its line of code, and what can be undone and redone", async () => {
    notebook.variables.set(train, "train");
    await calibrated();
    await conversion.replaceAll();
    await conversion.undo();
    await view.until(() => view.sections.history!.redo);
    const { states, current, undo, redo } = view.sections.history!;
    expect([current, undo, redo]).toEqual([1, true, true]);
    expect(states.map(({ parent, tuned }) => [parent, tuned])).toEqual([
      [null, false],
      [0, false],
      [1, false],
    ]);
    expect(states[1]).toMatchObject({
      code: 'conversion.calibrate(train, { method: "kmeans", seed: 0 })'.replace("conversion", "mine"),
      unwritten: null,
    });
    notebook.variables.delete(train);
    await conversion.redo();
    await view.until(() => view.sections.history!.current === 2);
    expect(view.sections.history!.states[1]).toMatchObject({ code: null, unwritten: expect.any(String) });
    expect(overview().train).toMatchObject({ name: "tiny", size: 60 });
  });

  it("a training is shown as it goes, and its layers are called so as long as it runs", async () => {
    await calibrated();
    await conversion.replace(conversion.layers.names[0]);
    await conversion.fineTune(train, { epochs: 4, batchSize: 10 });
    await view.until(() => view.sections.training?.done === true);
    const shown = view.snapshots.map(({ message }) => message.sections);
    const rest = conversion.layers.names.slice(1).map(() => "calibrated");
    expect(shown.map(({ layers }) => layers?.map(({ state }) => state))).toContainEqual([
      "training",
      ...rest,
    ]);
    expect(shown.some(({ training }) => training?.done === false)).toBe(true);
    const { points } = view.sections.training!;
    expect(points.map(({ epoch }) => epoch)).toEqual(points.map(({ epoch }) => epoch).sort((a, b) => a - b));
    expect(points.at(-1)!.epoch).toBeGreaterThan(3);
    expect(points.every(({ loss, metric }) => loss > 0 && metric! >= 0)).toBe(true);
    await view.until(() => view.sections.layers![0].state === "replaced");
    await view.until(() => view.sections.history!.states.at(-1)!.tuned);
  });

  it("times are of the layers and of the network as it is: with all layers replaced only where they are", async () => {
    await calibrated();
    await conversion.replaceAll();
    expect(await view.command(id, { verb: "measure", what: "times" })).toMatch(
      /^lookups against dense layers/,
    );
    await view.until(() => overview().cost.now.milliseconds !== null);
    const { dense, now, all } = overview().cost;
    expect(all.milliseconds).toBe(now.milliseconds);
    expect(dense.milliseconds).toBe(conversion.figures.networkTime("dense"));
    for (const { name, numCentroids, subvectorLength, before, after } of view.sections.layers!) {
      const time = conversion.figures.time(name, numCentroids, subvectorLength)!;
      expect([before.milliseconds, after.milliseconds]).toEqual([time.dense, time.lookup]);
    }
    await conversion.restore(conversion.layers.names[0]);
    await view.until(() => view.sections.layers![0].state === "calibrated");
    expect([overview().cost.now.milliseconds, overview().cost.all.milliseconds]).toEqual([null, null]);
    await conversion.restoreAll();
    await view.until(() => view.sections.layers!.every(({ state }) => state === "calibrated"));
    expect(overview().cost.now.milliseconds).toBe(dense.milliseconds);
    expect(overview().cost.all.milliseconds).toBe(null);
  });

  it("a snapshot that cannot be made is said once, and made again for who asks for it", async () => {
    await conversion.useData({ train });
    await view.until(() => overview().train !== null);
    notebook.unaskable = train;
    try {
      conversion.nameState("begin", 0);
      await conversion.useData({ validation });
      await view.until(() => view.refused.length > 0);
      conversion.nameState("begun", 0);
      await new Promise((resolve) => setTimeout(resolve, 120));
      expect(view.refused).toEqual(["TypeError: it is revoked"]);
    } finally {
      notebook.unaskable = null;
    }
    await view.watch(id);
    expect(view.sections.history!.states[0].label).toBe("begun");
  });
});

describe("a panel's command", () => {
  it.each([
    [
      "calibrate",
      { verb: "calibrate", method: "kmeans" },
      "calibrate: the training data must be known (calibrate or fineTune was given none yet); run a cell with: await lutnn.panel(mine, { train })",
    ],
    ["fineTune", { verb: "fineTune", epochs: 1 }, "fineTune: the training data must be known"],
    [
      "measure",
      { verb: "measure", what: "layers" },
      "measure layers: the validation data must be known (evaluate or errorAccumulation was given none yet); run a cell with: await lutnn.panel(mine, { validation: test })",
    ],
    ["plan", { verb: "plan", cost: "bytes" }, "plan: the training data must be known"],
  ] as const)("%s without data says which line to run", async (_verb, command, sentence) => {
    await expect(view.command(id, command)).rejects.toThrow(sentence);
  });

  it("calibrates by a method, all layers or some, and replaces up to one", async () => {
    await conversion.useData({ train });
    const { names } = conversion.layers;
    await view.command(id, { verb: "calibrate", method: "maddness", layers: [names[0]] });
    expect(conversion.layers.rows.map(({ state }) => state)).toEqual([
      "calibrated",
      ...names.slice(1).map(() => "dense"),
    ]);
    await view.command(id, { verb: "calibrate", method: "kmeans" });
    expect(await view.command(id, { verb: "replaceUpTo", layer: names[1] })).toMatch(/^replaced /);
    expect(conversion.layers.rows.map(({ state }) => state)).toEqual([
      ...["replaced", "replaced"],
      ...names.slice(2).map(() => "calibrated"),
    ]);
    await view.until(() => view.sections.layers![1].state === "replaced");
    expect(view.sections.layers!.map(({ method }) => method)).toEqual(
      conversion.layers.rows.map(({ method }) => method && expect.stringMatching(/k-means/i)),
    );
    await view.command(id, { verb: "restore", layers: [names[0]] });
    expect(conversion.layers.rows[0].state).toBe("calibrated");
    await expect(view.command(id, { verb: "replaceUpTo", layer: "none" })).rejects.toThrow('"none"');
    await view.command(id, { verb: "undo" });
    expect(conversion.layers.rows[0].state).toBe("replaced");
    await view.command(id, { verb: "redo" });
    await view.command(id, { verb: "goTo", state: 1 });
    expect(conversion.states.current).toBe(1);
    expect(await view.command(id, { verb: "nameState", state: 1, label: "begun" })).toBe(
      "state 1 is called begun",
    );
    expect(conversion.states.rows[1].label).toBe("begun");
  });

  it("measures the present state, and the dense network where that was not yet", async () => {
    await calibrated();
    await conversion.replaceAll();
    const text = await view.command(id, { verb: "measure", what: "metric" });
    const { value } = (await conversion.evaluate(validation)).metric;
    expect(text).toMatch(new RegExp(`^accuracy ${value.toFixed(1).replace(".", "\\.")}`));
    expect(conversion.figures.denseMetric).toBe((await conversion.evaluateDense(validation)).metric.value);
    expect(await view.command(id, { verb: "measure", what: "errors" })).toBe(
      `measured the errors of ${conversion.layers.rows.length} layers on 30 examples`,
    );
    await view.until(() => view.sections.errors !== null && view.sections.measures!.length > 0);
    expect(view.sections.errors!.data.size).toBe(30);
  });

  it("layers are measured alone and among the others", async () => {
    await calibrated();
    const text = await view.command(id, { verb: "measure", what: "layers" });
    expect(text).toBe(
      `measured ${conversion.layers.rows.length} layers alone and among the others, on 30 examples`,
    );
    expect(conversion.figures.denseMetric).not.toBe(null);
    await view.until(() => view.sections.measures!.some(({ onlyThis }) => onlyThis !== null));
    const { names } = conversion.layers;
    expect(view.sections.measures).toMatchObject(
      names.map((layer) => ({
        layer,
        state: 1,
        onlyThis: expect.any(Number),
        allButThis: expect.any(Number),
      })),
    );
  });

  it("saves the network as it is, with what is left dense as asked, and never over a file that is to stay", async () => {
    await calibrated();
    await conversion.replace(conversion.layers.names[0]);
    const path = join(mkdtempSync(join(tmpdir(), "lutnn-panel-")), "network.lut.onnx");
    const save = (remainder: "float32" | "int8", overwrite = false) =>
      view.command(id, { verb: "save", path, remainder, reopen: overwrite, overwrite });
    expect(await save("float32")).toMatch(/^saved .*network\.lut\.onnx: [\d,]+ bytes, 1 of \d+ layers/);
    const before = readFileSync(path);
    await expect(save("int8")).rejects.toThrow(/must not be there yet/);
    expect(readFileSync(path)).toEqual(before);
    expect(await save("int8", true)).toMatch(/INT8.*, the work in .*network\.lut\.onnx\.work/);
    expect((await fileInfo(path)).remainder?.kind).toBe("int8");
    expect(readFileSync(path)).not.toEqual(before);
    rmSync(dirname(path), { recursive: true });
  });

  it("trains for so many epochs at a rate, and says what it has come to", async () => {
    await calibrated();
    await conversion.replaceAll();
    const text = await view.command(id, { verb: "fineTune", epochs: 2, learningRate: 1e-9 });
    expect(text).toMatch(
      /^fine-tuned: .*2 epochs.*; loss \d+\.\d{3}, accuracy [\d.]+ % on what it has learnt from$/,
    );
    for (const [value, name] of [
      [train, "train"],
      [dense, "network"],
    ] as const)
      notebook.variables.set(value, name);
    expect(conversion.code(conversion.states.current)).toMatch(/epochs: 2.*learningRate: 1e-9/s);
  });

  it("one after the other is done, and what waits can be taken back", async () => {
    await calibrated();
    notebook.drawn = 0;
    const [running, waiting] = [
      await view.order(id, { verb: "calibrate", method: "leastSquares" }),
      await view.order(id, { verb: "replace", layers: conversion.layers.names }),
    ];
    await view.until(() => view.sections.commands!.length === 2);
    const [first, second] = view.sections.commands!;
    expect([first.state, second.state]).toEqual(["running", "waiting"]);
    await view.say({ type: "cancel", conversion: id, command: second.id });
    expect(await view.answerTo(waiting)).toMatchObject({ type: "failed" });
    expect(await view.answerTo(running)).toMatchObject({ type: "done", warnings: [] });
    expect(conversion.layers.rows.every(({ state }) => state === "calibrated")).toBe(true);
    expect(notebook.drawn).toBe(0);
  });
});

describe("a plan on the panel", () => {
  it("shows its trade-off, where the conversion stands, and what its points were found to lose", async () => {
    await conversion.useData({ train, validation });
    const text = await view.command(id, { verb: "plan", cost: "bytes" });
    await view.until(() => view.sections.plan !== null);
    const { points, cost, now } = view.sections.plan!;
    expect([text, cost]).toEqual([`planned: ${points.length} points from dense to cheapest`, "bytes"]);
    const { rows } = conversion.layers;
    const denseBytes = sum(rows.map(({ before }) => before.bytes));
    expect(now).toEqual({ cost: denseBytes, point: 0 });
    expect(points[0]).toMatchObject({ cost: denseBytes, replaced: 0, measuredDrop: 0 });
    expect(points.map(({ cost }) => cost)).toEqual(points.map(({ cost }) => cost).sort((a, b) => b - a));
    const last = points.length - 1;
    await view.command(id, { verb: "applyPlan", point: last });
    await view.until(() => view.sections.plan!.now.point === last);
    expect(view.sections.plan!.now.cost).toBe(points[last].cost);
    expect(points[last].replaced).toBe(
      conversion.layers.rows.filter(({ state }) => state === "replaced").length,
    );
    expect(view.sections.plan!.points[last].measuredDrop).toBe(null);
    await view.command(id, { verb: "measure", what: "metric" });
    await view.until(() => view.sections.plan!.points[last].measuredDrop !== null);
    const { metric } = overview();
    const drop = metric!.dense! - metric!.now!;
    expect(view.sections.plan!.points[last].measuredDrop).toBe(drop);
    // What training does to it is no longer the point's.
    await conversion.fineTune(train, { epochs: 1 });
    await conversion.evaluate(validation);
    await view.until(() => view.sections.history!.states.at(-1)!.metric !== null);
    expect(view.sections.plan!.points[last].measuredDrop).toBe(drop);
    // Sizes that no point has: what they cost is counted.
    const { name, subvectorLength } = conversion.layers.rows.find(({ state }) => state === "replaced")!;
    await view.command(id, { verb: "resize", layer: name, numCentroids: 4, subvectorLength });
    await view.until(() => view.sections.plan!.now.point === null);
    expect(view.sections.plan!.now.cost).toBe(
      sum(
        conversion.layers.rows.map(
          ({ state, before, after }) => (state === "replaced" ? after : before).bytes,
        ),
      ),
    );
    await expect(view.command(id, { verb: "applyPlan", point: points.length })).rejects.toThrow(
      `the point must be one of the plan's (got ${points.length}, of ${points.length})`,
    );
  });

  it("there is none before it was made", async () => {
    expect(view.sections.plan).toBe(null);
    await expect(view.command(id, { verb: "applyPlan", point: 0 })).rejects.toThrow("and there is no plan");
  });

  it("of a metric that should be small, more is lost where it grows", async () => {
    const layer = (units: number, more = {}) => tf.layers.dense({ units, ...more });
    const network = tf.sequential({
      layers: [
        layer(64, { activation: "relu", inputShape: [8] }),
        layer(64, { activation: "relu" }),
        layer(1),
      ],
    });
    const examples = new datasets.ArrayExamples({
      name: "sums",
      inputs: { [network.inputs[0].name]: { shape: [8], values: randomFloats(8 * 40, 3) } },
      target: { kind: "values", length: 1 },
      targets: randomFloats(40, 4),
    });
    const own = convert(network, { task: "regression" });
    notebook.variables.set(own, "own");
    await own.useData({ train: examples, validation: examples });
    const number = await view.find("own");
    await view.watch(number);
    await view.command(number, { verb: "plan", cost: "flops" });
    await view.until(() => view.sections.plan !== null);
    const last = view.sections.plan!.points.length - 1;
    await view.command(number, { verb: "applyPlan", point: last });
    await view.command(number, { verb: "measure", what: "metric" });
    await view.until(() => overview().metric!.now !== null && overview().metric!.dense !== null);
    await view.until(() => (view.sections.plan!.points[last]?.measuredDrop ?? null) !== null);
    const { dense, now, higherIsBetter } = overview().metric!;
    expect(higherIsBetter).toBe(false);
    expect(view.sections.plan!.points[last].measuredDrop).toBe(now! - dense!);
    expect(now).not.toBe(dense);
  });
});

describe("a panel's question", () => {
  it("compares two states layer by layer, each with what was measured in it", async () => {
    await calibrated();
    await conversion.replaceAll();
    await view.command(id, { verb: "measure", what: "layers" });
    const [name] = conversion.layers.names;
    const answer = await view.ask(id, { about: "comparison", a: 0, b: 2 });
    if (answer.type !== "comparison") throw new Error(JSON.stringify(answer));
    const { a, b, layers } = answer.comparison;
    expect([a, b, layers.map((one) => one.name)]).toEqual([0, 2, conversion.layers.names]);
    const measured = conversion.figures.layers([name], 2)[0];
    expect(layers[0]).toMatchObject({
      a: { is: "dense", onlyThis: null, allButThis: null },
      b: { is: "k-means", onlyThis: measured.onlyThis, allButThis: measured.allButThis },
    });
  });

  it("looks into a layer on validation data, else on those that it learns from", async () => {
    await conversion.calibrate(train, { method: "kmeans" });
    const [name] = conversion.layers.names;
    const ask = async () => {
      const answer = await view.ask(id, { about: "layer", layer: name });
      if (answer.type !== "layer") throw new Error(JSON.stringify(answer));
      return answer.detail;
    };
    const { positions } = conversion.layers.rows[0];
    expect((await ask()).rows).toBe(60 * positions);
    await conversion.useData({ validation });
    expect((await ask()).rows).toBe(30 * positions);
  });

  it("gives the cell that leads to a state", async () => {
    notebook.variables.set(dense, "network");
    const answer = await view.ask(id, { about: "cell", state: 0 });
    expect(answer).toMatchObject({ type: "cell", code: conversion.code(0) });
  });
});

describe("lutnn.panel", () => {
  it("says which data its commands take, and has the panels show this conversion", async () => {
    const none = await panel(conversion);
    expect(`${none}`).toBe("panel of tiny: no training data yet, no validation data yet");
    await view.until(() => view.asked === id);
    notebook.variables.set(train, "train");
    expect(`${await panel(conversion, { train, validation })}`).toBe(
      "panel of tiny: training data train (60 examples), validation data tiny (30 examples)",
    );
    const host = Reflect.get(globalThis, Symbol.for("lutnn.host")) as NotebookHost;
    Reflect.deleteProperty(globalThis, Symbol.for("lutnn.host"));
    try {
      expect((await panel(conversion)).warnings).toEqual(["there is no notebook here, so no panel shows it"]);
    } finally {
      Reflect.set(globalThis, Symbol.for("lutnn.host"), host);
    }
  });
});

describe("what a panel says wrongly", () => {
  it("is answered in a sentence: with its request where that can be read, else by itself", async () => {
    await view.say({ type: "nonsense" });
    await view.until(() => view.refused.length === 1);
    await view.say({ type: "command", request: 77, conversion: id, command: { verb: "eval" } });
    expect(await view.answerTo(77)).toMatchObject({ type: "failed" });
    await view.say({
      type: "question",
      request: 78,
      conversion: "gone",
      question: { about: "cell", state: 0 },
    });
    expect(await view.answerTo(78)).toMatchObject({
      type: "failed",
      error: expect.stringContaining("must be one that this kernel has (it is gone)"),
    });
    await view.say({ type: "cancel", conversion: "gone", command: 1 });
    await view.say({ type: "watch", conversion: "gone" });
    expect(await view.command(id, { verb: "nameState", state: 0, label: "still here" })).toContain(
      "still here",
    );
    expect(view.unreadable).toEqual([]);
  });

  it("snapshots are counted, and those behind the first hold what has changed", async () => {
    const [first] = view.snapshots;
    expect(first.message).toMatchObject({ whole: true, sequence: 0, conversion: id });
    expect(Object.keys(first.message.sections)).toHaveLength(8);
    conversion.nameState("begin", 0);
    await view.until(() => view.sections.history!.states[0].label === "begin");
    const { message } = view.snapshots.at(-1)!;
    expect(message.whole).toBe(false);
    expect(message.sequence).toBe(view.snapshots.length - 1);
    expect(message.sections.commands).toBeUndefined();
    await view.close();
    const { length } = notebook.published;
    conversion.nameState("again", 0);
    await new Promise((resolve) => setTimeout(resolve, 120));
    const later = notebook.published.slice(length).filter(({ content }) => content.comm_id === view.id);
    expect(later).toEqual([]);
  });
});
