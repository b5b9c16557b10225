import { expect, it } from "vitest";
import { ConversionModel, type Snapshot } from "../../../extension/src/panel/model/conversionModel";
import { fakeMeasures, wholeSnapshot } from "../fixtures/conversion";

const whole = wholeSnapshot("c", ["a", "b", "c"], 5) as Snapshot;
const part = (sequence: number, sections: Snapshot["sections"]): Snapshot => ({
  type: "snapshot",
  conversion: "c",
  sequence,
  whole: false,
  sections,
});

it("a part that comes before the whole changes nothing", () => {
  const model = new ConversionModel("c");
  expect(model.apply(part(9, { commands: [] }))).toEqual([]);
  expect(model.get("commands")).toBeUndefined();
  expect(model.isWhole).toBe(false);
});

it("a section replaces the one before, and the others stay", () => {
  const model = new ConversionModel("c");
  model.apply(whole);
  const layers = model.get("layers");
  const history = { states: [], current: 7, undo: false, redo: true };
  expect(model.apply(part(6, { history }))).toEqual(["history"]);
  expect(model.get("history")).toEqual(history);
  expect(model.get("layers")).toBe(layers);
});

it("figures of a layer replace those of the same layer alone", () => {
  const model = new ConversionModel("c");
  model.apply(whole);
  const newer = { ...fakeMeasures("b", 1, 9), onlyThis: 12 };
  model.apply(part(6, { measures: [newer] }));
  expect(model.get("measures")?.map(({ layer, onlyThis }) => [layer, onlyThis === 12])).toEqual([
    ["a", false],
    ["b", true],
    ["c", false],
  ]);
});

it("a snapshot that is older than what is known is dropped, unless it is whole", () => {
  const model = new ConversionModel("c");
  model.apply(whole);
  expect(model.apply(part(5, { commands: [] }))).toEqual([]);
  const restarted = { ...whole, sequence: 1, sections: { ...whole.sections, measures: [] } };
  expect(model.apply(restarted)).toContain("measures");
  expect(model.get("measures")).toEqual([]);
  expect(model.apply(part(2, { commands: [] }))).toEqual(["commands"]);
});
