// Values that are hard to show: whatever they do when they are looked at, and however large they are.
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { displaySymbol, type MimeBundle } from "../../../kernel/lib/host/host";
import { inspectValue, longestText } from "../../../kernel/lib/host/inspectValue";
import { mimeBundle } from "../../../kernel/lib/host/mimeBundle";

/** Of processor time, which other work on the machine does not lengthen: showing takes milliseconds, a hang for ever. */
const soonMs = 5000;

const fail = (): never => {
  throw new Error("no");
};
const nested = (depth: number): object => (depth === 0 ? {} : { next: nested(depth - 1) });
const wide = (levels: number): unknown =>
  levels === 0 ? "x".repeat(10_000) : Array.from({ length: 100 }, () => wide(levels - 1));
const sparse = () => {
  const array: unknown[] = [];
  array[2 ** 32 - 2] = 1;
  return array;
};
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};
const cyclic = () => {
  const layout: Record<string, unknown> = {};
  layout.up = layout;
  return { data: [{ x: [1] }], layout };
};
const hugeRecords = () => {
  const rows: unknown[] = [{ a: 1 }];
  rows.length = 2 ** 32 - 1;
  return rows;
};
const oneByOne = <T>(count: number, of: (index: number) => T) =>
  Array.from({ length: count }, (_, at) => of(at));

const values: [what: string, make: () => unknown, expected: string | RegExp][] = [
  ["null", () => null, "null"],
  [
    "a getter that throws",
    () => ({
      name: "net",
      get shape() {
        return fail();
      },
    }),
    "{ name: 'net', shape: [Getter] }",
  ],
  [
    "a getter that throws in a record",
    () => [
      {
        get a() {
          return fail();
        },
        b: 1,
      },
    ],
    /\[Getter\] +1/,
  ],
  [
    "a BigInt in what looks like a figure",
    () => ({ data: [{ x: [1n] }], layout: {} }),
    "{ data: [ { x: [Array] } ], layout: {} }",
  ],
  ["a cycle in what looks like a figure", cyclic, /^\{\s+data: .*<ref \*1>.*\[Circular \*1\]/s],
  [
    "a figure whose toJSON throws",
    () => ({ data: [{ x: [1], toJSON: fail }], layout: {} }),
    /toJSON: \[Function/,
  ],
  ["a revoked proxy", revoked, "<Revoked Proxy>"],
  [
    "a proxy that refuses everything",
    () =>
      new Proxy(
        {},
        { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail, getOwnPropertyDescriptor: fail },
      ),
    "{}",
  ],
  ["a proxy of records", () => [new Proxy({ a: 1 }, { ownKeys: fail })], "[ { a: 1 } ]"],
  ["an array around a revoked proxy", () => [revoked(), 1], "[ <Revoked Proxy>, 1 ]"],
  ["a custom inspect that throws", () => ({ a: 1, [inspect.custom]: fail }), /a: 1/],
  ["an inspect of another type", () => ({ [inspect.custom]: () => 5 }), "5"],
  [
    "a display method that throws",
    () => ({ a: 1, [displaySymbol]: fail }),
    /a: 1.*\(its Symbol\.for\("Jupyter\.display"\) failed: Error: no\)$/s,
  ],
  [
    "a display getter that throws",
    () => ({
      get [displaySymbol]() {
        return fail();
      },
    }),
    /failed: Error: no\)$/,
  ],
  [
    "a display method that gives a BigInt",
    () => ({ [displaySymbol]: () => ({ "text/plain": 1n }) }),
    /must be JSON/,
  ],
  [
    "a display method that gives null",
    () => ({ [displaySymbol]: () => null }),
    /an object of MIME types \(got null\)/,
  ],
  [
    "a display method that throws what cannot be described",
    () => ({
      [displaySymbol]: () => {
        throw revoked();
      },
    }),
    /failed: <Revoked Proxy>\)$/,
  ],
  [
    "an error without a readable stack",
    () => Object.defineProperty(new Error("x"), "stack", { get: fail }),
    /Error|cannot be shown/,
  ],
  [
    "an error whose name is a symbol",
    () => Object.assign(new Error("x"), { name: Symbol("n") }),
    /x|cannot be shown/,
  ],
  [
    "a function with a name that throws",
    () => Object.defineProperty(() => 1, "name", { get: fail }),
    /Function|cannot be shown/,
  ],
  [
    "a class whose toString throws",
    () =>
      class A {
        readonly size = 1;
        static toString() {
          return fail();
        }
      },
    /class|cannot be shown/,
  ],
  ["a sparse array of 2^32", sparse, "[ <4294967294 empty items>, 1 ]"],
  ["an empty array of 2^31", () => new Array(2 ** 31), "[ <2147483648 empty items> ]"],
  ["records with a huge length", hugeRecords, "[ { a: 1 }, <4294967294 empty items> ]"],
  ["a very deep object", () => nested(5000), "{ next: { next: { next: [Object] } } }"],
  ["arrays in arrays in arrays of long texts", () => wide(3), /^\[\n +\[\n +\[Array\], /],
  [
    "a million properties",
    () => Object.fromEntries(oneByOne(1_000_000, (at) => [`key${at}`, at])),
    /key99: 99.* … 999900 more properties$/s,
  ],
  ["a million records", () => oneByOne(1_000_000, (at) => ({ at })), /1000000 rows × 1 columns$/],
  [
    "records of a million columns",
    () => [Object.fromEntries(oneByOne(1_000_000, (at) => [`key${at}`, at]))],
    "[ [Object] ]",
  ],
  [
    "a map of a million entries",
    () => new Map(oneByOne(1_000_000, (at) => [at, at])),
    /^Map\(1000000\).*999900 more items/s,
  ],
  [
    "a set of a million entries",
    () => new Set(oneByOne(1_000_000, (at) => at)),
    /^Set\(1000000\).*999900 more items/s,
  ],
  ["a very long text", () => "x".repeat(50_000_000), /^'x+'\.\.\. 49990000 more characters$/],
  [
    "a custom inspect that never stops talking",
    () => ({ [inspect.custom]: () => "x".repeat(2 ** 28) }),
    /more characters$/,
  ],
  [
    "many numbers",
    () => new Float64Array(50_000_000),
    /^Float64Array\(50000000\), 0 … 0, mean 0 \(of the first 33554432\)/,
  ],
  [
    "a typed array without a constructor",
    () => Object.defineProperty(new Uint16Array(3), "constructor", { get: fail }),
    /Uint16Array\(3\)/,
  ],
  [
    "what only looks like a tensor",
    () => ({ shape: [1], dtype: "x", isDisposed: false, dataSync: fail }),
    /dataSync: \[Function/,
  ],
  [
    "an object without a prototype",
    () => Object.assign(Object.create(null), { a: 1 }),
    "[Object: null prototype] { a: 1 }",
  ],
];

test.each(values)("%s is shown as text, and soon", async (_, make, expected) => {
  const value = make();
  const before = process.cpuUsage();
  const bundle: MimeBundle = await mimeBundle(value);
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(soonMs);
  const text = String(bundle["text/plain"]);
  if (typeof expected === "string") expect(text).toBe(expected);
  else expect(text).toMatch(expected);
  expect(text.length).toBeLessThan(longestText + 100);
  expect(text).not.toContain("kernel/lib");
});

test("a display method that rejects is shown as text", async () => {
  const bundle = await mimeBundle({ [displaySymbol]: () => Promise.reject(new Error("late")) });
  expect(bundle["text/plain"]).toContain("failed: Error: late");
});

test("options of inspect hold, within the budget", () => {
  expect(inspectValue(nested(6), { depth: null })).toContain("{ next: {} }");
  expect(inspectValue(nested(6), { depth: 0 })).toBe("{ next: [Object] }");
});
