import { beforeEach, expect, it } from "vitest";
import {
  type Action,
  type ActionName,
  actions,
  perform,
  stop,
} from "../../../extension/src/panel/model/actions";
import { PanelModel } from "../../../extension/src/panel/model/panelModel";
import type { KernelMessage, PanelMessage } from "../../../kernel/src/report/conversionMessages";
import { conversionsMessage, wholeSnapshot } from "../fixtures/conversion";

const choices = { method: "kmeans", epochs: 3, learningRate: null };
let model: PanelModel;
let sent: PanelMessage[];

beforeEach(() => {
  model = new PanelModel();
  sent = [];
  model.connect((message) => sent.push(message));
  model.receive(conversionsMessage("one"));
  model.receive(wholeSnapshot("one", ["a", "b", "c", "d"])); // replaced, replaced, calibrated, dense
});

const commandOf = (name: ActionName) => (actions[name] as Action).command(model, choices);

it("replace takes the calibrated ones of the chosen layers, restore the replaced ones", () => {
  expect(commandOf("replace")).toBeNull();
  model.select((selection) => selection.all(["a", "b", "c", "d"]));
  expect(commandOf("replace")).toEqual({ verb: "replace", layers: ["c"] });
  expect(commandOf("restore")).toEqual({ verb: "restore", layers: ["a", "b"] });
});

it("calibrate takes the chosen layers, or leaves the choice to the kernel", () => {
  expect(commandOf("calibrate")).toEqual({ verb: "calibrate", method: "kmeans" });
  model.select((selection) => selection.only("d"));
  expect(commandOf("calibrate")).toEqual({ verb: "calibrate", method: "kmeans", layers: ["d"] });
});

it("fineTune sends no learning rate where none was chosen", () => {
  expect(commandOf("fineTune")).toEqual({ verb: "fineTune", epochs: 3 });
});

it("undo and redo follow the history", () => {
  expect(commandOf("undo")).toEqual({ verb: "undo" });
  expect(commandOf("redo")).toBeNull();
});

it("what cannot be done says why and sends nothing", async () => {
  sent.length = 0;
  model.select((selection) => selection.only("d"));
  await perform("replace", model, choices);
  expect(model.notice).toEqual({ kind: "fault", text: "Calibrate the layer first." });
  expect(sent).toEqual([]);
});

it("without data, learning and measuring say which cell to run", async () => {
  const whole = wholeSnapshot("one", ["a"], 9) as Extract<KernelMessage, { type: "snapshot" }>;
  const overview = { ...whole.sections.overview!, train: null, validation: null };
  model.receive({ ...whole, sections: { ...whole.sections, overview } });
  for (const [name, call] of [
    ["calibrate", "lutnn.panel(one, { train })"],
    ["fineTune", "lutnn.panel(one, { train })"],
    ["measureLayers", "lutnn.panel(one, { validation: test })"],
  ] as const) {
    await perform(name, model, choices);
    expect(model.notice?.text).toContain(call);
  }
});

it("stop cancels the command that runs, not one that waits", () => {
  sent.length = 0;
  stop(model);
  const commands = [
    { id: 7, name: "x", state: "waiting" as const, progress: null },
    { id: 5, name: "y", state: "running" as const, progress: null },
  ];
  model.receive({ type: "snapshot", conversion: "one", sequence: 2, whole: false, sections: { commands } });
  stop(model);
  expect(sent).toEqual([{ type: "cancel", conversion: "one", command: 5 }]);
});
