import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../kernel/lib/pq/random";
import {
  encodeReference,
  fusedMultiplyAdd,
  lookupReference,
  negativeHalfNorms,
  scaleSumsReference,
  scoreKey,
} from "../../../kernel/lib/pq/reference";
import { randomFloats } from "../random";

const shape = (numCodebooks: number, numCentroids: number, subvectorLength: number) => ({
  numCodebooks,
  numCentroids,
  subvectorLength,
});

/** A finite double as numerator · 2^exponent with an integer numerator. */
function exact(value: number): { numerator: bigint; exponent: number } {
  let exponent = 0;
  let scaled = value;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    exponent--;
  }
  return { numerator: BigInt(scaled), exponent };
}

/** a·b + c in exact arithmetic, rounded once to float32 (ties to even), in the normal range. */
function exactFusedMultiplyAdd(a: number, b: number, c: number): number {
  const [x, y, z] = [exact(a), exact(b), exact(c)];
  const productExponent = x.exponent + y.exponent;
  const exponent = Math.min(productExponent, z.exponent);
  const total =
    ((x.numerator * y.numerator) << BigInt(productExponent - exponent)) +
    (z.numerator << BigInt(z.exponent - exponent));
  const magnitude = total < 0n ? -total : total;
  const drop = magnitude.toString(2).length - 24;
  if (drop <= 0) return Number(total) * 2 ** exponent;
  const kept = magnitude >> BigInt(drop);
  const rest = magnitude & ((1n << BigInt(drop)) - 1n);
  const half = 1n << BigInt(drop - 1);
  const rounded = rest > half || (rest === half && kept % 2n === 1n) ? kept + 1n : kept;
  return Number(total < 0n ? -rounded : rounded) * 2 ** (exponent + drop);
}

describe("the fused multiply-add of the reference", () => {
  it("rounds once, like exact arithmetic, on random numbers", () => {
    const random = seededRandom(1);
    const number = () => Math.fround((2 * random() - 1) * 2 ** Math.floor(12 * random() - 6));
    for (let i = 0; i < 20_000; i++) {
      const [a, b, c] = [number(), number(), number()];
      expect(fusedMultiplyAdd(a, b, c), `${a} · ${b} + ${c}`).toBe(exactFusedMultiplyAdd(a, b, c));
    }
  });

  it("is right where rounding to double first would land on a tie", () => {
    // 2^-24·(1 − 2^-46) beside 1 + 2^-23: the exact sum misses the middle of two floats by 2^-70, which double drops.
    const odd = 1 + 2 ** -23;
    const [a, b] = [1 + 2 ** -23, 2 ** -24 * (1 - 2 ** -23)];
    const naive = (sign: number) => Math.fround(odd + sign * a * b);
    for (const sign of [1, -1]) {
      expect(fusedMultiplyAdd(sign * a, b, odd)).toBe(odd);
      expect(fusedMultiplyAdd(sign * a, -b, -odd)).toBe(-odd);
      expect(exactFusedMultiplyAdd(sign * a, b, odd)).toBe(odd);
      expect(naive(sign)).not.toBe(odd); // so a naive implementation fails this test
    }
  });
});

describe("the order of scores", () => {
  it("is the order of the numbers where they differ above the low four bits", () => {
    const values = [-3.5, -1, -1e-3, 0, 1e-3, 1, 3.5].map(Math.fround);
    const keys = values.map(scoreKey);
    expect([...keys].sort((x, y) => x - y)).toEqual(keys);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it("sees no difference in the low four bits of the mantissa", () => {
    const step = 2 ** -23;
    expect(scoreKey(1 + 15 * step)).toBe(scoreKey(1));
    expect(scoreKey(1 + 16 * step)).toBeGreaterThan(scoreKey(1));
    expect(scoreKey(-1 - 15 * step)).toBe(scoreKey(-1));
    expect(scoreKey(-1 - 16 * step)).toBeLessThan(scoreKey(-1));
  });
});

describe("encode by the reference", () => {
  it("gives ties to the lower index", () => {
    const centroids = Float32Array.of(1, 2, 1, 2, 5, 5);
    const codes = encodeReference(Float32Array.of(1, 2), 1, centroids, shape(1, 3, 2));
    expect([...codes]).toEqual([0]);
  });

  it("finds the centroid of smallest squared distance", () => {
    const sizes = shape(3, 7, 5);
    const x = randomFloats(11 * 15, 1);
    const centroids = randomFloats(3 * 7 * 5, 2);
    const codes = encodeReference(x, 11, centroids, sizes);
    for (let n = 0; n < 11; n++)
      for (let c = 0; c < 3; c++) {
        const distances = Array.from({ length: 7 }, (_, k) => {
          let sum = 0;
          for (let v = 0; v < 5; v++) sum += (x[n * 15 + c * 5 + v] - centroids[(c * 7 + k) * 5 + v]) ** 2;
          return sum;
        });
        expect(codes[n * 3 + c]).toBe(distances.indexOf(Math.min(...distances)));
      }
  });

  it("gives the lowest of several centroids of zeros, whatever the input's sign", () => {
    const centroids = Float32Array.of(-5, -5, 0, 0, 0, 0, 1e-30, 1e-30);
    for (const sign of [1, -1]) {
      const x = Float32Array.of(sign * 1e-20, sign * 0);
      expect([...encodeReference(x, 1, centroids, shape(1, 4, 2))]).toEqual([1]);
    }
  });

  it("starts from −½‖P‖² rounded once from double", () => {
    const norms = negativeHalfNorms(Float32Array.of(3, 4, 0.1, 0.2), 2);
    expect(norms[0]).toBe(-12.5);
    expect(norms[1]).toBe(Math.fround(-0.5 * (Math.fround(0.1) ** 2 + Math.fround(0.2) ** 2)));
  });
});

describe("lookup by the reference", () => {
  it("adds the rows that the codes name, and scales and shifts them with two roundings", () => {
    const table = Int8Array.of(1, -2, 3, 4, 100, 101, -127, 127); // C 2, K 2, M 2
    const sums = lookupReference(Uint8Array.of(0, 1, 1, 0), 2, table, shape(2, 2, 1), 2);
    expect([...sums]).toEqual([1 - 127, -2 + 127, 3 + 100, 4 + 101]);
    const y = scaleSumsReference(sums, Float32Array.of(0.1, 0.3), Float32Array.of(1e-3, -7));
    const wanted = (sum: number, scale: number, bias: number) =>
      Math.fround(Math.fround(sum * Math.fround(scale)) + Math.fround(bias));
    expect([...y]).toEqual([
      wanted(-126, 0.1, 1e-3),
      wanted(125, 0.3, -7),
      wanted(103, 0.1, 1e-3),
      wanted(105, 0.3, -7),
    ]);
  });
});
