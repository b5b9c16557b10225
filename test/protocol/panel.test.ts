// The panel's side of a conversion, against the real kernel.
import { afterAll, beforeAll, expect, test } from "vitest";
import { Kernel } from "./kernelClient";
import { PanelClient } from "./panelClient";

const first = `import * as lutnn from "lutnn";
  const digits = await lutnn.datasets.digits();
  const train = digits.train.take(240);
  const validation = digits.test.take(90);
  const model = lutnn.models.smallCnn({ inputShape: [8, 8, 1], numClasses: 10, width: 16, seed: 3 });
  await lutnn.fit(model, train, { epochs: 2 });`;

let kernel: Kernel;
let panel: PanelClient;
let id: string;
beforeAll(async () => {
  kernel = await Kernel.start();
  const early = await PanelClient.open(kernel);
  await early.until(() => early.closed);
  const { stderr } = await kernel.execute(first);
  expect(stderr).toBe("");
});
afterAll(() => kernel.stop());

test("a panel that came too early hears of the first conversion, with the variable that holds it", async () => {
  await kernel.execute("const conversion = lutnn.convert(model);");
  const opening = kernel.published.find(
    ({ header, content }) => header.msg_type === "comm_open" && content.target_name === "lutnn.conversion",
  );
  panel = PanelClient.adopt(kernel, opening!);
  expect(panel.conversions).toMatchObject([{ model: "smallCnn" }]);
  id = await panel.find("conversion");
});

test("a snapshot holds every section, and those that change come by themselves", async () => {
  const whole = await panel.watch(id);
  expect(whole.whole).toBe(true);
  expect(Object.keys(whole.sections)).toHaveLength(8);
  expect(panel.sections.overview).toMatchObject({
    model: "smallCnn",
    profile: "plus",
    train: null,
    validation: null,
    // The network's end is linear, and no data have told yet what it is for.
    metric: null,
  });
  expect(panel.sections.layers!.map(({ state }) => state)).toEqual(panel.sections.layers!.map(() => "dense"));
  expect(panel.sections.history).toMatchObject({
    states: [{ id: 0, code: "lutnn.convert(model)" }],
    current: 0,
    undo: false,
    redo: false,
  });
  await kernel.execute("await conversion.calibrate(train);");
  await panel.until(() => panel.sections.layers!.every(({ state }) => state === "calibrated"));
  await panel.until(() => panel.sections.overview!.train !== null);
  expect(panel.sections.overview!.train).toEqual({
    variable: "train",
    name: "optdigits",
    size: 240,
  });
  expect(panel.sections.history!.states[1].code).toBe(
    'conversion.calibrate(train, { method: "leastSquares", seed: 0 })',
  );
});

test("a command without data says which line to run, and after it works", async () => {
  await expect(panel.command(id, { verb: "measure", what: "metric" })).rejects.toThrow(
    "await lutnn.panel(conversion, { validation: test })",
  );
  expect(await kernel.evaluate("await lutnn.panel(conversion, { train, validation })")).toMatch(
    /^panel of smallCnn: training data train \(240 examples\), validation data validation \(90 examples\)$/,
  );
  expect(await panel.command(id, { verb: "measure", what: "metric" })).toMatch(/^accuracy /);
  await panel.until(() => typeof panel.sections.overview!.metric?.dense === "number");
  expect(panel.sections.overview!.metric!.now).toBe(panel.sections.overview!.metric!.dense);
});

test("layers are replaced, resized, measured, taken back and compared", async () => {
  const [one, two] = panel.sections.layers!;
  expect(await panel.command(id, { verb: "replaceUpTo", layer: two.name })).toMatch(/^replaced /);
  await panel.until(() => panel.sections.layers![1].state === "replaced");
  const lengths = one.choices.subvectorLengths;
  const other = lengths.find((length) => length !== one.subvectorLength)!;
  expect(
    await panel.command(id, {
      verb: "resize",
      layer: one.name,
      numCentroids: 8,
      subvectorLength: other,
    }),
  ).toContain("was calibrated anew by least squares on 240 examples");
  await panel.until(() => panel.sections.layers![0].numCentroids === 8);
  expect(panel.sections.layers![0]).toMatchObject({ state: "replaced", subvectorLength: other });
  expect(await panel.command(id, { verb: "measure", what: "layers" })).toMatch(/^measured /);
  expect(await panel.command(id, { verb: "measure", what: "errors" })).toMatch(/^measured the errors/);
  await panel.until(() => panel.sections.errors !== null && panel.sections.measures!.length > 0);
  const { current } = panel.sections.history!;
  expect(panel.sections.measures!.map(({ state }) => state)).toEqual(
    panel.sections.layers!.map(() => current),
  );
  for (const measured of panel.sections.measures!) {
    expect(measured.onlyThis).toBeGreaterThan(0);
    expect(measured.allButThis).toBeGreaterThan(0);
  }
  expect(await panel.command(id, { verb: "measure", what: "times" })).toMatch(
    /^lookups against dense layers/,
  );
  await panel.until(() => panel.sections.layers!.every(({ after }) => after.milliseconds !== null));
  for (const { before, after } of panel.sections.layers!) {
    expect(before.milliseconds).toBeGreaterThanOrEqual(0);
    expect(after.milliseconds).toBeGreaterThan(0);
  }
  await panel.until(() => typeof panel.sections.overview!.cost.now.milliseconds === "number");
  await panel.command(id, { verb: "undo" });
  await panel.until(() => panel.sections.history!.redo);
  const compared = await panel.ask(id, { about: "comparison", a: current - 1, b: current });
  expect(compared).toMatchObject({ type: "comparison", comparison: { a: current - 1, b: current } });
  if (compared.type !== "comparison") throw new Error(JSON.stringify(compared));
  // What was measured of a layer stands beside the state that it is of: not beside the one before, in which layer one is another.
  const measuredNow = new Map(panel.sections.measures!.map((one) => [one.layer, one]));
  for (const { name, a, b } of compared.comparison.layers.filter(({ name }) => measuredNow.has(name))) {
    const { onlyThis, allButThis } = measuredNow.get(name)!;
    expect(a).toMatchObject({ onlyThis: null, allButThis: null });
    expect(b).toMatchObject({ onlyThis, allButThis });
  }
  await panel.command(id, { verb: "goTo", state: current });
  await panel.command(id, { verb: "nameState", state: current, label: "resized" });
  await panel.until(() => panel.sections.history!.states[current].label === "resized");
});

test("one layer shows its codebooks", async () => {
  const [{ name, numCodebooks, numCentroids }] = panel.sections.layers!;
  const answer = await panel.ask(id, { about: "layer", layer: name });
  if (answer.type !== "layer") throw new Error(JSON.stringify(answer));
  const { codebooks, rows, inputs } = answer.detail;
  expect(codebooks).toHaveLength(numCodebooks);
  for (const { counts, error } of codebooks) {
    expect(counts).toHaveLength(numCentroids);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rows);
    expect(error).toBeGreaterThanOrEqual(0);
  }
  expect(inputs.edges).toHaveLength(inputs.counts.length + 1);
});

test("a plan's points are applied, as one state", async () => {
  expect(await panel.command(id, { verb: "plan", cost: "flops" })).toMatch(/^planned: \d+ points/);
  await panel.until(() => panel.sections.plan !== null);
  const { points } = panel.sections.plan!;
  const states = panel.sections.history!.states.length;
  const last = points.length - 1;
  expect(points[last].replaced).toBeGreaterThan(0);
  expect(await panel.command(id, { verb: "applyPlan", point: last })).toContain("applied a plan");
  await panel.until(() => panel.sections.plan!.now.point === last);
  expect(panel.sections.plan!.now.cost).toBe(points[last].cost);
  await panel.until(() => panel.sections.history!.states.length === states + 1);
  // What a point really loses is known once it was measured, and stays known when the conversion goes elsewhere.
  expect(points[last].measuredDrop).toBe(null);
  await panel.command(id, { verb: "measure", what: "metric" });
  await panel.until(() => panel.sections.plan!.points[last].measuredDrop !== null);
  const drop = panel.sections.plan!.points[last].measuredDrop;
  const { dense, now } = panel.sections.overview!.metric!;
  expect(drop).toBe(dense! - now!);
  await panel.command(id, { verb: "undo" });
  await panel.until(() => panel.sections.plan!.now.point !== last);
  expect(panel.sections.plan!.points[last].measuredDrop).toBe(drop);
  await panel.command(id, { verb: "redo" });
  await panel.until(() => panel.sections.plan!.now.point === last);
  await expect(panel.command(id, { verb: "applyPlan", point: 999 })).rejects.toThrow(/got 999/);
});

test("what waits and what runs is shown, with time left, and can be taken back", async () => {
  const running = await panel.order(id, { verb: "fineTune", epochs: 500 });
  const waiting = await panel.order(id, { verb: "undo" });
  await panel.until(
    () =>
      panel.sections.commands!.length === 2 &&
      (panel.sections.commands![0].progress?.etaSeconds ?? 0) > 0 &&
      (panel.sections.training?.points.length ?? 0) > 2,
  );
  expect(panel.sections.commands!.map(({ name, state }) => [name, state])).toEqual([
    ["fine-tune", "running"],
    ["undo", "waiting"],
  ]);
  await panel.until(() => panel.sections.layers!.some(({ state }) => state === "training"));
  const [tuning, undo] = panel.sections.commands!;
  await panel.say({ type: "cancel", conversion: id, command: undo.id });
  await panel.say({ type: "cancel", conversion: id, command: tuning.id });
  expect(await panel.answerTo(running)).toMatchObject({
    type: "failed",
    error: "fine-tune: the command was cancelled (it was running); nothing is lost",
  });
  expect(await panel.answerTo(waiting)).toMatchObject({
    type: "failed",
    error: "undo: the command was cancelled (it was waiting); nothing is lost",
  });
  await panel.until(() => panel.sections.training!.done && panel.sections.commands!.length === 0);
  const { states, current } = panel.sections.history!;
  expect(states[current]).toMatchObject({ label: "fine-tune, stopped", unwritten: null });
  expect(states[current].code).toMatch(/^conversion\.fineTune\(.*epochs: 500, .*stopAfter: [1-9]\d* }\)$/);
  const cell = await panel.ask(id, { about: "cell", state: current });
  expect(cell).toMatchObject({ type: "cell", code: expect.stringMatching(/stopAfter: [1-9]\d* }\);\n/) });
});

test("the notebook's stop button stops a panel's command too", async () => {
  const running = await panel.order(id, { verb: "fineTune", epochs: 500 });
  await panel.until(() => panel.sections.commands![0]?.state === "running");
  await panel.until(() => panel.sections.training?.done === false);
  await kernel.request("control", "interrupt_request");
  // Where a step takes longer than the kernel's patience, as on a busy machine, its code is stopped from outside.
  expect(await panel.answerTo(running)).toMatchObject({ type: "failed" });
  await panel.until(() => panel.sections.commands!.length === 0 && panel.sections.training!.done);
  await panel.command(id, { verb: "undo" });
});

test("no update overtakes another, and there are at most 20 a second while a cell trains", async () => {
  const { length } = panel.snapshots;
  await kernel.execute("await conversion.fineTune(train, { epochs: 3, batchSize: 8 });");
  await panel.until(() => panel.sections.training!.done);
  const during = panel.snapshots.slice(length);
  expect(during.length).toBeGreaterThan(5);
  const seconds = (during.at(-1)!.at - during[0].at) / 1000;
  // The first of them may follow at once.
  expect(during.length).toBeLessThanOrEqual(20 * seconds + 2);
  const sequences = panel.snapshots.map(({ message }) => message.sequence);
  expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
});

test("a reloaded page gets the present state over a comm of its own, the other goes on", async () => {
  const again = await PanelClient.open(kernel);
  const found = await again.find("conversion");
  expect(found).toBe(id);
  const whole = await again.watch(id);
  expect(whole.whole).toBe(true);
  await panel.until(() => panel.sections.history!.current === again.sections.history!.current);
  expect(again.sections.layers).toEqual(panel.sections.layers);
  expect(again.sections.history).toEqual(panel.sections.history);
  await again.command(id, { verb: "undo" });
  await panel.until(() => panel.sections.history!.redo);
  await again.close();
  await panel.command(id, { verb: "redo" });
  expect(again.unreadable).toEqual([]);
});

test("two conversions do not mix", async () => {
  await kernel.execute('const other = lutnn.convert(model, { profile: "paper" });');
  const second = await PanelClient.open(kernel);
  const otherId = await second.find("other");
  await second.watch(otherId);
  const { current } = panel.sections.history!;
  await kernel.execute("await other.calibrate(train); await other.replaceAll();");
  await second.until(() => second.sections.layers!.every(({ state }) => state === "replaced"));
  expect(second.snapshots.every(({ message }) => message.conversion === otherId)).toBe(true);
  expect(panel.snapshots.every(({ message }) => message.conversion === id)).toBe(true);
  expect(panel.sections.history!.current).toBe(current);
  await kernel.execute("await lutnn.panel(other);");
  await panel.until(() => panel.asked === otherId); // panels that are open show it
  await second.close();
});

test("whatever is sent is answered in a sentence, and the kernel lives on", async () => {
  const before = panel.refused.length;
  for (const data of [null, 7, [], { type: "watch" }, { type: "x".repeat(2000) }]) await panel.say(data);
  await panel.until(() => panel.refused.length === before + 5);
  expect(panel.refused.at(-1)).toMatch(/^the message's type must be one of watch, command, cancel, question/);
  await panel.say({ type: "command", request: 9001, conversion: id, command: { verb: "eval" } });
  expect(await panel.answerTo(9001)).toMatchObject({ type: "failed" });
  await panel.say({ type: "command", request: 9002, conversion: "nobody", command: { verb: "undo" } });
  expect(await panel.answerTo(9002)).toMatchObject({
    error: expect.stringContaining("must be one that this kernel has"),
  });
  await expect(panel.command(id, { verb: "replace", layers: ["<img src=x>"] })).rejects.toThrow(
    'has no layer "<img src=x>"',
  );
  await expect(panel.command(id, { verb: "calibrate", method: "constructor" })).rejects.toThrow(
    /method must be/,
  );
  expect(await kernel.evaluate("1 + 1")).toBe("2");
  expect(panel.unreadable).toEqual([]);
});

test("a conversion that nobody holds any more leaves the list", async () => {
  await kernel.execute("let passing: object | null = lutnn.convert(model);");
  await panel.find("passing");
  await kernel.execute(
    `import { runInNewContext } from "node:vm"; import { setFlagsFromString } from "node:v8";
     setFlagsFromString("--expose-gc"); const collect = runInNewContext("gc"); passing = null; "let go";`,
  );
  const others = () =>
    panel.conversions.filter(({ variable }) => variable === null || variable === "passing");
  for (let round = 0; round < 20 && others().length > 0; round++) {
    await kernel.execute("await new Promise((resolve) => setTimeout(resolve, 0)); collect();");
    await panel.watch(id);
  }
  expect(others()).toEqual([]);
  expect(panel.conversions.map(({ variable }) => variable).sort()).toEqual(["conversion", "other"]);
});

test("500 layers fit into one message, and what changes while they are replaced is small", async () => {
  await kernel.evaluate(
    `const deepModel = lutnn.tf.sequential({ layers: Array.from({ length: 500 }, (_, i) =>
       lutnn.tf.layers.dense({ units: 8, name: \`block\${i}\`, ...(i === 0 ? { inputShape: [8] } : {}) })) });
     const deep = lutnn.convert(deepModel, { layers: deepModel.layers.map(({ name }) => name), task: "regression" });
     deep.layers.rows.length;`,
  );
  const view = await PanelClient.open(kernel);
  const deep = await view.find("deep");
  const whole = await view.watch(deep);
  expect(whole.sections.layers).toHaveLength(500);
  expect(view.snapshots[0].bytes).toBeLessThan(400_000);
  const { length } = view.snapshots;
  await view.command(deep, { verb: "nameState", state: 0, label: "start" });
  await expect(view.command(deep, { verb: "replaceUpTo", layer: "block499" })).rejects.toThrow(
    /block0 must be calibrated first/,
  );
  await view.until(() => view.sections.history!.states[0].label === "start");
  expect(view.sections.commands).toEqual([]);
  const commands = view.snapshots.slice(length).filter(({ message }) => !message.sections.layers);
  for (const { bytes } of commands) expect(bytes).toBeLessThan(2_000);
  expect(view.unreadable).toEqual([]);
  await view.close();
});

test("commands of a panel draw nothing into the notebook", () => {
  const drawn = kernel.published.filter(
    ({ header, parent }) => /display_data|stream/.test(header.msg_type) && parent.msg_type === "comm_msg",
  );
  expect(drawn).toEqual([]);
});
