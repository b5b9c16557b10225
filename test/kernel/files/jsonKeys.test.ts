import { describe, expect, it } from "vitest";
import { repeatedKey } from "../../../kernel/lib/files/jsonKeys";

describe("a key that an object has twice", () => {
  it.each([
    ['{"a": 1, "b": 2, "a": 3}', "a"],
    ['{"a": {"b": 1, "c": 2, "b": 1}}', "b"],
    ['[{"a": 1}, {"a": 1, "a" : 2}]', "a"],
    ['{"a\\"b": 1, "a\\u0022b": 2}', 'a"b'],
    ['{"a": [{"a": 1}], "a": 2}', "a"],
    ['{"": 1, "":2}', ""],
    ['{"a": 1}\n', null],
  ])("is found whatever its spelling: %s", (text, key) => expect(repeatedKey(text)).toBe(key));

  it.each([
    ['{"a": "x", "b": "x"}'],
    ['{"a": "a", "b": ["b", "b"]}'],
    ['{"a": {"a": 1}, "b": {"a": 1}}'],
    ['["a", "a", {"a": "}{\\"a\\":"}]'],
    ['"a"'],
    ["[1, [2], {}]"],
  ])("is not found among values, nor in objects beside and within one another: %s", (text) =>
    expect(repeatedKey(text)).toBeNull(),
  );
});
