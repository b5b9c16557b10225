import { LutnnError } from "lutnn";
import { describe, expect, it } from "vitest";
import { readSafetensors, writeSafetensors } from "../../../kernel/lib/files/safetensors";

const arrays = [
  { name: "a", shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
  { name: "scalar", shape: [], values: Float32Array.of(7) },
  { name: "empty", shape: [0, 4], values: new Float32Array(0) },
];

/** A file with this header and this many data bytes. */
function file(header: unknown, dataBytes: number): Uint8Array {
  const text = Buffer.from(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = Buffer.alloc(8 + text.length + dataBytes);
  bytes.writeBigUInt64LE(BigInt(text.length));
  text.copy(bytes, 8);
  return bytes;
}
const entry = (from: number, to: number, shape = [1], dtype = "F32") => ({
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
    ["a list", file([1], 0), /its header is not an object/],
    ["another type", file({ a: entry(0, 4, [1], "F16") }, 4), /a must be of type F32 \(got F16\)/],
    [
      "sizes that do not multiply up",
      file({ a: entry(0, 8, [3]) }, 8),
      /a of shape 3 must take 12 bytes \(got 8\)/,
    ],
    ["a negative length", file({ a: entry(0, 4, [-1]) }, 4), /a must have a shape and data offsets/],
    ["an overlap", file({ a: entry(0, 4), b: entry(0, 4) }, 4), /b must begin at byte 4 \(got 0\)/],
    ["a hole", file({ a: entry(0, 4), b: entry(8, 12) }, 12), /b must begin at byte 4 \(got 8\)/],
    [
      "bytes left over",
      file({ a: entry(0, 4) }, 5),
      /must have \d+ bytes \(got \d+\); it is damaged or cut off/,
    ],
    ["a cut file", writeSafetensors(arrays).slice(0, -1), /damaged or cut off/],
  ])("are refused with %s", (_name, bytes, message) => {
    expect(() => readSafetensors(bytes, "f")).toThrow(LutnnError);
    expect(() => readSafetensors(bytes, "f")).toThrow(message);
  });
});
