import { encodeIntegers, type IntegerCodes, LutConv, LutMatMul, type Window } from "lutnn-native";
import { describe, expect, it } from "vitest";
// @ts-expect-error: what runs beside TypeScript is plain JavaScript
import { windowOf } from "./addon/layer.mjs";
import { makeLookup, referenceOutputs, referenceSums, referenceWindows, wholeNumbers } from "./reference.js";

const window: Window = { ...windowOf(4), strideHeight: 2 };
const [C, K, V] = [4, 16, 9];
const lookup = makeLookup(C, K, V, 5);
const integers: IntegerCodes = {
  inputScale: 0.5,
  inputZeroPoint: 128,
  centroids: Int8Array.from(wholeNumbers(C * K * V, 7, -127, 127)),
  halfNorms: Int32Array.from(wholeNumbers(C * K, 8, 0, 4000)),
};

/** Whole and half numbers (rows, C·V) → codes: the greatest Σ (q − zero point)·p − half norm, of equals the first. */
function codesOf(rows: number[], { inputZeroPoint, centroids, halfNorms }: IntegerCodes): Uint8Array {
  return Uint8Array.from({ length: rows.length / V }, (_, place) => {
    const scores = Array.from({ length: K }, (_, k) => {
      const row = (place % C) * K + k;
      let score = -halfNorms[row]!;
      for (let v = 0; v < V; v++) {
        const q = Math.min(255, Math.max(0, 2 * rows[place * V + v]! + inputZeroPoint)); // 1 / inputScale = 2
        score += (q - inputZeroPoint) * centroids[row * V + v]!;
      }
      return score;
    });
    return scores.indexOf(Math.max(...scores));
  });
}

const options = { encoding: "integer", integers } as const;

describe("codes that are defined in integers", () => {
  it.each([0, 128, 250])(
    "are those of plain loops, and so is what is looked up by them (zero point %s)",
    (zero) => {
      const own = { ...integers, inputZeroPoint: zero };
      const op = new LutMatMul(lookup, { encoding: "integer", integers: own });
      const x = wholeNumbers(33 * 36, 5, -90, 90);
      const wanted = codesOf(x, own);
      const codes = new Uint8Array(33 * C);
      op.encode(Float32Array.from(x), 33, codes);
      expect(codes).toEqual(wanted);
      encodeIntegers(Float32Array.from(x), 33, own, C, K, V, codes.fill(99));
      expect(codes).toEqual(wanted);
      const y = new Float32Array(33 * 5);
      op.bind(Float32Array.from(x), 33, y)();
      expect(y).toEqual(referenceOutputs(lookup, referenceSums(lookup, wanted)));

      const conv = new LutConv(lookup, window, { encoding: "integer", integers: own });
      const image = wholeNumbers(4 * 99, 6, -90, 90);
      const positions = new Uint8Array(5 * 11 * C);
      conv.encode(Float32Array.from(image), 1, 9, 11, positions);
      expect(positions).toEqual(codesOf(referenceWindows(window, image, [1, 9, 11], [5, 11]), own));
    },
  );

  it("need no float centroids, and have no other codes to differ from", () => {
    const op = new LutMatMul({ ...lookup, centroids: new Float32Array(0) }, options);
    expect(() => op.mismatch(new Float32Array(36), 1)).toThrow(
      new TypeError(
        "LutMatMul.mismatch: codes that are defined in integers have no others to differ from; ask a layer of another encoding",
      ),
    );
  });

  it("are checked", () => {
    const make = (change: object) =>
      new LutMatMul(lookup, { ...options, integers: { ...integers, ...change } });
    expect(() => new LutMatMul(lookup, { encoding: "integer" })).toThrow(
      "integers must be an object (got undefined)",
    );
    expect(() => make({ inputScale: 0.1 })).toThrow(
      /inputScale must be a float32 \(got 0.1\); use Math.fround/,
    );
    expect(() => make({ inputScale: "1" })).toThrow(TypeError);
    for (const inputScale of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => make({ inputScale })).toThrow(/inputScale must be a float32 above 0/);
    expect(() => make({ inputZeroPoint: 256 })).toThrow(
      /inputZeroPoint must be an integer from 0 to 255 \(got 256\)/,
    );
    expect(() => make({ inputZeroPoint: 2.5 })).toThrow(RangeError);
    expect(() => make({ centroids: new Float32Array(576) })).toThrow(
      /centroids of integers must be an Int8Array/,
    );
    expect(() => make({ centroids: new Int8Array(575) })).toThrow(/4 · 16 · 9 = 576 elements \(got 575\)/);
    expect(() => make({ centroids: new Int8Array(576).fill(-128) })).toThrow(
      /within ±127 \(got -128 at index 0\)/,
    );
    expect(() => make({ halfNorms: new Int32Array(64).fill(-1) })).toThrow(
      /halfNorms must be from 0 to 8388608/,
    );
    expect(() => make({ halfNorms: new Int32Array(63) })).toThrow(/4 · 16 = 64 elements \(got 63\)/);
    const codes = new Uint8Array(4);
    expect(() => encodeIntegers(new Float32Array(35), 1, integers, C, K, V, codes)).toThrow(
      /encodeIntegers: x must have rows · numCodebooks · subvectorLength/,
    );
    const bytes = new Uint8Array(integers.centroids.buffer, 0, 4);
    expect(() => encodeIntegers(new Float32Array(36), 1, integers, C, K, V, bytes)).toThrow(
      /codes must not overlap centroids of integers/,
    );
  });
});
