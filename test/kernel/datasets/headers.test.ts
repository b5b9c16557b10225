// Headers of pictures and sounds as other programs may write them, byte by byte.
import { describe, expect, it } from "vitest";
import { parsePpm } from "../../../kernel/lib/datasets/formats/ppm";
import { parseWav } from "../../../kernel/lib/datasets/formats/wav";

describe("a binary PPM", () => {
  const ppm = (head: string, ...pixels: number[]) =>
    Uint8Array.from([...Buffer.from(head, "latin1"), ...pixels]);
  const six = [1, 2, 3, 4, 5, 6];

  it("has its numbers apart by any white space, with comments between them", () => {
    for (const head of ["P6 2 1 255\n", "P6\n# by hand\n2 # wide\n\t1\r\n255 ", "P6#\n2#\n1\n255\n"]) {
      const { width, height, channels, pixels } = parsePpm(ppm(head, ...six), "f");
      expect([width, height, channels, [...pixels]]).toEqual([2, 1, 3, six]);
    }
  });

  it("begins its pixels after one blank, though they look like blanks", () =>
    expect([...parsePpm(ppm("P6 2 1 255\n", 10, 32, 10, 9, 13, 35), "f").pixels]).toEqual([
      10, 32, 10, 9, 13, 35,
    ]));

  it("may be as large as 16,384 pixels a side", () => {
    expect(parsePpm(ppm("P6 16384 1 255\n", ...new Uint8Array(3 * 16_384)), "f").width).toBe(16_384);
    expect(() => parsePpm(ppm("P6 16385 1 255\n"), "f")).toThrow(/it claims 16385 × 1 pixels/);
    expect(() => parsePpm(ppm("P6 0 1 255\n"), "f")).toThrow(/it claims 0 × 1 pixels/);
  });

  it.each([
    ["P5 2 1 255\n", /its first bytes are 80 53/],
    ["P6 2 1 65535\n", /its largest value is 65535/],
    ["P6 2 x", /there is no number at byte 5/],
    ["P6 2 1 255", /its header does not end at byte 10/],
    ["P6 # without an end", /there is no number at byte 19/],
    ["P6 1 1 255\n", /1 × 1 pixels take 3 bytes, and 6 are there/],
  ])("is refused where it is none: %j", (head, why) =>
    expect(() => parsePpm(ppm(head, ...(head.endsWith("\n") ? six : [])), "f")).toThrow(why),
  );
});

describe("a WAV of one channel and 16 bits", () => {
  const part = (name: string, bytes: Buffer) => {
    const head = Buffer.alloc(8);
    head.write(name, "latin1");
    head.writeUInt32LE(bytes.length, 4);
    return Buffer.concat([head, bytes, Buffer.alloc(bytes.length % 2)]);
  };
  const riff = (...parts: Buffer[]) => Buffer.concat([Buffer.from("RIFF\0\0\0\0WAVE", "latin1"), ...parts]);
  const form = ({ kind = 1, channels = 1, rate = 16_000, bits = 16, more = Buffer.alloc(0) } = {}) => {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt16LE(kind, 0);
    bytes.writeUInt16LE(channels, 2);
    bytes.writeUInt32LE(rate, 4);
    bytes.writeUInt16LE(bits, 14);
    return part("fmt ", Buffer.concat([bytes, more]));
  };
  const samples = part("data", Buffer.from(Int16Array.of(-32_768, 0, 16_384).buffer));
  const read = (bytes: Buffer, most = 3) => [...parseWav(bytes, "f", { rate: 16_000, most })];

  it("is read from −1 to 1, whatever stands beside its samples", () => {
    expect(read(riff(form(), samples))).toEqual([-1, 0, 0.5]);
    expect(
      read(riff(part("LIST", Buffer.from("odd")), form(), part("note", Buffer.alloc(4)), samples)),
    ).toEqual([-1, 0, 0.5]);
    expect(read(riff(form(), part("data", Buffer.alloc(0))))).toEqual([]);
  });

  it("may say in the longer way that it is PCM", () => {
    const longer = (kind: number) => {
      const more = Buffer.alloc(24);
      more.writeUInt16LE(kind, 8);
      return form({ kind: 0xfffe, more });
    };
    expect(read(riff(longer(1), samples))).toEqual([-1, 0, 0.5]);
    expect(() => read(riff(longer(3), samples))).toThrow(/it has form 3, 1 channels, 16 bits/);
    expect(() => read(riff(form({ kind: 0xfffe }), samples))).toThrow(/it has form 65534/);
  });

  it.each<[string, Buffer, RegExp]>([
    [
      "more samples than are read",
      riff(form(), part("data", Buffer.alloc(8))),
      /it has 4 samples, and at most 3 are read/,
    ],
    ["half a sample", riff(form(), part("data", Buffer.alloc(3))), /it has 1.5 samples/],
    ["two channels", riff(form({ channels: 2 }), samples), /2 channels/],
    ["another rate", riff(form({ rate: 8_000 }), samples), /16 bits and 8000 Hz/],
    ["bytes", riff(form({ bits: 8 }), samples), /8 bits/],
    ["samples before their description", riff(samples, form()), /come before their description/],
    ["no samples", riff(form()), /it has no samples/],
    [
      "a description that is too short",
      riff(part("fmt ", Buffer.alloc(14)), samples),
      /its description has 14 bytes/,
    ],
    ["a cut part", riff(form(), samples).subarray(0, -1), /its part "data" has 5 of 6 bytes/],
    ["another file", Buffer.from("RIFX\0\0\0\0WAVE", "latin1"), /it begins with "RIFX"/],
    ["a few bytes", Buffer.from("RIFF", "latin1"), /it begins with "RIFF"/],
  ])("is refused with %s", (_, bytes, why) => expect(() => read(bytes)).toThrow(why));
});
