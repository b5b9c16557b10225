import { expect, it } from "vitest";
import { cellOfLayer } from "../../../extension/src/panel/model/notebookCells";

const cells = [
  'import * as lutnn from "lutnn";',
  null, // Markdown
  "const conversion = lutnn.convert(model);",
  'await conversion.replace("conv2");\nawait conversion.replace("conv3");',
  'await conversion.restore("conv2");',
];

it("the cell of a layer is the last that names it", () => {
  expect(cellOfLayer(cells, "conv2", "conversion")).toBe(4);
  expect(cellOfLayer(cells, "conv3", "conversion")).toBe(3);
});

it("a part of a name is not its name", () => {
  expect(cellOfLayer(cells, "conv", "x")).toBe(-1);
});

it("else it is the cell that declares the conversion", () => {
  expect(cellOfLayer(cells, "dense1", "conversion")).toBe(2);
  expect(cellOfLayer(cells, "dense1", "conv")).toBe(-1);
  expect(cellOfLayer(["let $a = 1"], "x", "$a")).toBe(0);
});

it("names of any characters are taken as they are", () => {
  expect(cellOfLayer(['f("a.*(b")'], "a.*(b", ".*")).toBe(0);
  expect(cellOfLayer(["anything"], "x", ".*")).toBe(-1);
});
