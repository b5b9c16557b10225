import { LutnnError } from "lutnn";
import { describe, expect, it } from "vitest";
import {
  type NamedTensor,
  readSafetensors,
  readTensors,
  writeSafetensors,
} from "../../../kernel/lib/files/safetensors";

const arrays = [
  { name: "a", shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
  { name: "empty", shape: [0, 4], values: new Float32Array(0) },
  { name: "scalar", shape: [], values: Float32Array.of(7) },
];

/** Of every type, names that objects have by themselves among them. */
const tensors: NamedTensor[] = [
  { name: "f32", shape: [2], values: Float32Array.of(1.1, Number.NaN) },
  { name: "f16", shape: [2, 2], values: Float32Array.of(0.5, -2, 65504, 2 ** -24), half: true },
  { name: "constructor", shape: [3], values: Int8Array.of(-128, 0, 127) },
  { name: "i32", shape: [2], values: Int32Array.of(-(2 ** 31), 2 ** 31 - 1) },
  { name: "__proto__", shape: [1], values: Uint8Array.of(255) },
  { name: "i64", shape: [1, 2], values: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) },
  { name: 'quoted "\\n', shape: [1], values: Float32Array.of(2) },
];

/** A file with this header and this many data bytes. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = Buffer.alloc(8 + text.length + dataBytes);
  bytes.writeBigUInt64LE(BigInt(text.length));
  text.copy(bytes, 8);
  return bytes;
}
const entry = (from: number, to: number, shape: unknown[] = [1], dtype: unknown = "F32") => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

describe("safetensors", () => {
  it("come back as they were written, with their metadata", () => {
    const bytes = writeSafetensors(arrays, { note: "x" });
    expect(readSafetensors(bytes, "f")).toEqual({ arrays, metadata: { note: "x" } });
    expect(readSafetensors(Buffer.from(bytes), "f").arrays).toEqual(arrays);
  });

  it("of every type come back equal, whatever their names, from any place in memory", () => {
    const bytes = writeSafetensors(tensors);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    for (const whole of [bytes, shifted.subarray(3)])
      expect(readTensors(whole, "f").tensors).toEqual(tensors);
  });

  it("round to half precision, to the nearest and half-way to even", () => {
    const halves = (...values: number[]) => {
      const bytes = writeSafetensors([
        { name: "x", shape: [values.length], values: Float32Array.from(values), half: true },
      ]);
      return [...readTensors(bytes, "f").tensors[0].values];
    };
    expect(halves(1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -20)).toEqual([
      1,
      1 + 2 ** -9,
      1 + 2 ** -10,
    ]);
    expect(halves(65519, 65520, -1e30, Number.POSITIVE_INFINITY)).toEqual([
      65504,
      Number.POSITIVE_INFINITY,
      Number.NEGATIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
    expect(halves(2 ** -25, 3 * 2 ** -25, 2 ** -14 - 2 ** -25, -(2 ** -26), -0)).toEqual([
      0,
      2 ** -23,
      2 ** -14,
      -0,
      -0,
    ]);
    expect(halves(Number.NaN)).toEqual([Number.NaN]);
  });

  it("hold all halves exactly: the 63,488 finite ones come back from their own numbers", () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i).filter((i) => ((i >> 10) & 31) !== 31);
    const header = Buffer.from(JSON.stringify({ x: entry(0, 2 * bits.length, [bits.length], "F16") }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const bytes = Buffer.concat([length, header, Buffer.from(bits.buffer)]);
    const [read] = readTensors(bytes, "f").tensors;
    expect(read.values[0x3c00]).toBe(1);
    expect(read.values[1]).toBe(2 ** -24);
    const again = writeSafetensors([read]);
    expect(Buffer.from(again.subarray(again.length - 2 * bits.length))).toEqual(Buffer.from(bits.buffer));
  });

  it("let empty tensors stand beside others at the same byte, in any order of the header", () => {
    const header = { a: entry(0, 4), none: entry(0, 0, [0]), b: entry(4, 8), last: entry(8, 8, [3, 0]) };
    const names = readTensors(file(header, 8), "f").tensors.map(({ name }) => name);
    expect(names).toEqual(["none", "a", "b", "last"]);
  });

  it("of float32 alone are what readSafetensors reads", () => {
    expect(() => readSafetensors(writeSafetensors(tensors.slice(2, 3)), "f")).toThrow(
      new LutnnError('f: the tensor "constructor" must be of type F32 (got Int8Array); convert it first'),
    );
    expect(() => readSafetensors(writeSafetensors(tensors.slice(1, 2)), "f")).toThrow(
      /"f16" must be of type F32 \(got F16\)/,
    );
  });

  it.each([
    ["nothing", new Uint8Array(3), /it has 3 bytes/],
    [
      "a header beyond the file",
      Uint8Array.of(255, 0, 0, 0, 0, 0, 0, 0, 1),
      /its header claims 255 bytes of 9/,
    ],
    [
      "an absurd header",
      Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 1, 1),
      /its header claims 72057594037927936 bytes/,
    ],
    ["no JSON", file("{nope", 0), /its header is not JSON/],
    ["no UTF-8", Uint8Array.of(2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe), /its header is not UTF-8/],
    ["endless nesting", file("[".repeat(200_000), 0), /its header is not JSON/],
    ["a list", file([1], 0), /its header is not an object/],
    ["null", file("null", 0), /its header is not an object/],
    ["a key twice", file(`{"a":${JSON.stringify(entry(0, 4))},"\\u0061":1}`, 4), /has the key "a" twice/],
    [
      "a field twice",
      file('{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}', 4),
      /has the key "shape" twice/,
    ],
    [
      "another type",
      file({ a: entry(0, 8, [1], "F64") }, 8),
      /"a" must be of type F32, F16, I32, I64, U8, I8 \(got "F64"\); convert it first/,
    ],
    ["a type that objects have", file({ a: entry(0, 4, [1], "constructor") }, 4), /\(got "constructor"\)/],
    ["a type that is a number", file({ a: entry(0, 4, [1], 32) }, 4), /must be of type .* \(got 32\)/],
    ["no type", file({ a: { shape: [1], data_offsets: [0, 4] } }, 4), /must be of type .*\(got undefined\)/],
    [
      "sizes that do not multiply up",
      file({ a: entry(0, 8, [3]) }, 8),
      /"a" of type F32 and shape 3 must take 12 bytes \(got 8\)/,
    ],
    [
      "sizes beyond all numbers",
      file({ a: entry(0, 4, [2 ** 40, 2 ** 40]) }, 4),
      /must take 4.8\d+e\+24 bytes \(got 4\)/,
    ],
    ["a negative length", file({ a: entry(0, 4, [-1]) }, 4), /"a" must have a shape and data offsets/],
    ["half a length", file({ a: entry(0, 4, [0.5, 2]) }, 4), /must have a shape and data offsets/],
    ["a text as length", file({ a: entry(0, 4, ["1"]) }, 4), /must have a shape and data offsets/],
    ["too many axes", file({ a: entry(0, 4, new Array(33).fill(1)) }, 4), /at most 32 axes \(got 33\)/],
    ["no entry", file({ a: null }, 4), /must have a shape and data offsets \(got null\)/],
    ["a list as entry", file({ a: [1] }, 4), /must have a shape and data offsets \(got \[1\]\)/],
    [
      "one offset",
      file({ a: { dtype: "F32", shape: [1], data_offsets: [0] } }, 4),
      /must have a shape and data offsets/,
    ],
    ["offsets backwards", file({ a: entry(4, 0) }, 4), /must take 4 bytes \(got -4\)/],
    ["an overlap", file({ a: entry(0, 4), b: entry(0, 4) }, 4), /"b" must begin at byte 4 \(got 0\)/],
    ["a hole", file({ a: entry(0, 4), b: entry(8, 12) }, 12), /"b" must begin at byte 4 \(got 8\)/],
    ["metadata that are a list", file({ __metadata__: ["x"] }, 0), /metadata must be an object of texts/],
    ["metadata that are null", file({ __metadata__: null }, 0), /an object of texts \(got null\)/],
    [
      "metadata that are no texts",
      file({ __metadata__: { steps: 5 } }, 0),
      /the metadata "steps" must be a text \(got 5\)/,
    ],
    [
      "bytes left over",
      file({ a: entry(0, 4) }, 5),
      /must have \d+ bytes \(got \d+\); it is damaged or cut off/,
    ],
    ["a cut file", writeSafetensors(arrays).slice(0, -1), /damaged or cut off/],
  ])("are refused with %s", (_name, bytes, message) => {
    expect(() => readTensors(bytes, "f")).toThrow(LutnnError);
    expect(() => readTensors(bytes, "f")).toThrow(message);
  });

  it("say no endless sentence of an endless name", () => {
    const name = "x".repeat(100_000);
    const read = () => readTensors(file({ [name]: entry(0, 8) }, 8), "f");
    expect(read).toThrow(LutnnError);
    expect(read).toThrow(/^f: the tensor "x{70,80}… of type F32 .{1,60}$/);
  });

  const one = Float32Array.of(1);
  it.each<[string, NamedTensor[], unknown, RegExp]>([
    ["a name twice", [arrays[0], arrays[0]], {}, /a name of its own \(got "a" twice/],
    [
      "the format's own name",
      [{ ...arrays[0], name: "__metadata__" }],
      {},
      /got "__metadata__" twice, or as/,
    ],
    [
      "sizes of NaN",
      [{ name: "a", shape: [Number.NaN], values: one }],
      {},
      /"a" of shape NaN must be whole sizes/,
    ],
    [
      "negative sizes",
      [{ name: "a", shape: [-1, -1], values: one }],
      {},
      /of shape -1×-1 must be whole sizes/,
    ],
    ["half sizes", [{ name: "a", shape: [0.5, 2], values: one }], {}, /of shape 0.5×2 must be whole sizes/],
    ["another number of values", [{ name: "a", shape: [3], values: one }], {}, /as many numbers \(got 1\)/],
    [
      "halves that are integers",
      [{ name: "a", shape: [1], values: Int8Array.of(1), half: true }],
      {},
      /must be float32 to be stored in half precision \(got Int8Array\)/,
    ],
    [
      "metadata that are no text",
      [],
      { steps: 5 },
      /the metadata "steps" must be a text \(got 5\); write it as JSON/,
    ],
    ["metadata that are missing", [], { steps: undefined }, /the metadata "steps" must be a text/],
  ])("are not written with %s", (_name, wanted, metadata, message) => {
    const write = () => Reflect.apply(writeSafetensors, null, [wanted, metadata]);
    expect(write).toThrow(LutnnError);
    expect(write).toThrow(message);
  });

  it("are not written with values of a type that the format has no place for here", () => {
    const doubles = { name: "a", shape: [1], values: Float64Array.of(1) };
    expect(() => Reflect.apply(writeSafetensors, null, [[doubles]])).toThrow(
      'safetensors: the values of "a" must be float32, int32, int64, uint8 or int8 (got Float64Array); convert them first',
    );
  });
});
