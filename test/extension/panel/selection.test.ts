import { expect, it } from "vitest";
import { Selection } from "../../../extension/src/panel/model/selection";

const shown = ["c", "a", "b", "d"];
const network = ["a", "b", "c", "d"];

it("targets are in network order, whatever order they were chosen in", () => {
  const selection = new Selection();
  selection.only("d");
  selection.toggle("a");
  expect(selection.targets(network)).toEqual(["a", "d"]);
  selection.toggle("d");
  expect(selection.targets(network)).toEqual(["a"]);
});

it("without a choice the active layer is the target", () => {
  const selection = new Selection();
  expect(selection.targets(network)).toEqual([]);
  selection.moveTo("b");
  expect(selection.targets(network)).toEqual(["b"]);
});

it("a range goes along what is shown, from where the choice began, either way", () => {
  const selection = new Selection();
  selection.only("a");
  selection.extendTo("d", shown);
  expect(selection.targets(network)).toEqual(["a", "b", "d"]);
  selection.extendTo("c", shown);
  expect(selection.targets(network)).toEqual(["a", "c"]);
  expect(selection.active).toBe("c");
});

it("a range from a layer that is filtered out is the one layer", () => {
  const selection = new Selection();
  selection.only("a");
  selection.extendTo("d", ["c", "d"]);
  expect(selection.targets(network)).toEqual(["d"]);
});

it("layers that are gone are forgotten", () => {
  const selection = new Selection();
  selection.all(network);
  selection.moveTo("d");
  selection.keepOnly(["a", "b"]);
  expect(selection.targets(network)).toEqual(["a", "b"]);
  expect(selection.active).toBeNull();
});
