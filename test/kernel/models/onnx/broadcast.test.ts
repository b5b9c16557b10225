import { expect, it } from "vitest";
import { spreadPlaces } from "../../../../kernel/lib/models/onnx/broadcast";

it.each<[string, number[], number[], number[]]>([
  ["a row over rows", [3], [2, 3], [0, 1, 2, 0, 1, 2]],
  ["a column over columns", [2, 1], [2, 3], [0, 0, 0, 1, 1, 1]],
  ["one number over all", [], [2, 2], [0, 0, 0, 0]],
  ["the middle of three axes", [2, 1, 2], [2, 3, 2], [0, 1, 0, 1, 0, 1, 2, 3, 2, 3, 2, 3]],
  ["outer axes that are missing", [2, 1], [2, 2, 2], [0, 0, 1, 1, 0, 0, 1, 1]],
  ["nothing to spread", [2, 2], [2, 2], [0, 1, 2, 3]],
  ["nothing at all", [1], [0], []],
])("a value is spread as ONNX spreads it: %s", (_, of, dims, places) =>
  expect([...spreadPlaces(of, dims)]).toEqual(places),
);
