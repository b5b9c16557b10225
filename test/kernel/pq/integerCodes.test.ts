import { pq, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { quantizeCodebooksTensor, quantizeInputTensor } from "../../../kernel/lib/compute/integerCodes";
import { randomFloats } from "../random";

/** Halves and neighbours of halves are what rounding gets wrong. */
function hardInputs(scale: number): Float32Array {
  const halves = Array.from({ length: 1200 }, (_, i) => Math.fround((i - 600) / 2) * scale);
  const near = halves.flatMap((x) => [x * (1 - 2 ** -23), x, x * (1 + 2 ** -23)]);
  return Float32Array.from([...near, 0, -0, 1e30, -1e30, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]);
}

/** x / scale as a float32, halves to the even number, by another way than the library's. */
function byteOf(x: number, { scale, zeroPoint }: pq.InputQuantization): number {
  const quotient = Math.fround(x / scale);
  if (!Number.isFinite(quotient)) return quotient > 0 ? 255 : 0;
  const [below, above] = [Math.floor(quotient), Math.ceil(quotient)];
  const nearest = quotient - below === above - quotient ? (below % 2 === 0 ? below : above) : undefined;
  const steps = nearest ?? (quotient - below < above - quotient ? below : above);
  return Math.min(255, Math.max(0, steps + zeroPoint));
}

/** Scales are tried in steps of a fourth of an octave, and errors estimated. */
const nearLeast = 1.2;
/** Sums of twelve uniform numbers. */
const normals = Array.from({ length: 6000 }, (_, i) =>
  randomFloats(12, 900 + i).reduce((sum, value) => sum + value / 2, 0),
);

const inputs = [
  { scale: Math.fround(0.0123), zeroPoint: 0 },
  { scale: Math.fround(0.7), zeroPoint: 128 },
  { scale: 1, zeroPoint: 3 },
];
const shapes = [
  { numCodebooks: 3, numCentroids: 16, subvectorLength: 9 },
  { numCodebooks: 2, numCentroids: 7, subvectorLength: 32 },
  { numCodebooks: 1, numCentroids: 40, subvectorLength: 256 },
];

describe("inputs as bytes", () => {
  it.each(inputs)(
    "are rounded to the nearest, halves to the even one, and cut off ($scale, $zeroPoint)",
    (input) => {
      const x = hardInputs(input.scale);
      const wanted = Array.from(x, (value) => byteOf(value, input));
      expect([...pq.quantizeInputReference(x, input)]).toEqual(wanted);
      const tensors = { scale: tf.scalar(input.scale), zeroPoint: tf.scalar(input.zeroPoint) };
      const trained = quantizeInputTensor(tf.tensor1d(x), tensors);
      expect([...trained.dataSync()].map((q) => q + input.zeroPoint)).toEqual(wanted);
      expect([...pq.quantizeInputReference(Float32Array.of(Number.NaN), input)]).toEqual([0]);
    },
  );

  it.each([
    ["normal", (i: number) => normals[i]],
    ["with a long tail", (i: number) => normals[i] ** 3],
    ["mostly zeros", (i: number) => (i % 50 === 0 ? normals[i] : 0)],
    ["with one far away", (i: number) => (i === 77 ? 40 : normals[i])],
    ["uniform", (i: number) => ((7 * i) % 1999) / 1999],
  ])("have the scale that moves them least, in squares, whatever the sign: %s", (_, numberAt) => {
    const signed = Float32Array.from({ length: normals.length }, (_, i) => numberAt(i));
    for (const x of [signed, signed.map(Math.abs)]) {
      const nonNegative = x !== signed;
      const chosen = pq.chooseInputQuantization(x, nonNegative);
      expect(chosen.zeroPoint).toBe(nonNegative ? 0 : 128);
      const error = (input: pq.InputQuantization) =>
        pq
          .quantizeInputReference(x, input)
          .reduce((sum, q, i) => sum + (input.scale * (q - input.zeroPoint) - x[i]) ** 2, 0);
      const largest = x.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const others = Array.from({ length: 60 }, (_, i) =>
        Math.fround((largest / (nonNegative ? 255 : 127)) * 0.93 ** i),
      );
      const least = Math.min(...others.map((scale) => error({ ...chosen, scale })));
      expect(error(chosen) / least).toBeLessThan(nearLeast);
    }
  });

  it("of which all are zeros have a scale too, and so have the smallest that there are", () => {
    expect(pq.chooseInputQuantization(new Float32Array(8), true)).toEqual({ scale: 1, zeroPoint: 0 });
    expect(pq.chooseInputQuantization(Float32Array.of(1e-45), false).scale).toBe(1);
    expect(pq.chooseInputQuantization(new Float32Array(5000).with(3, 51), true).scale).toBe(Math.fround(0.2));
  });

  it("must be there and finite", () => {
    expect(() => pq.chooseInputQuantization(new Float32Array(0), true)).toThrow(/there must be inputs/);
    expect(() => pq.chooseInputQuantization(Float32Array.of(1, Number.NaN), true)).toThrow(
      /chooseInputQuantization: all values must be finite \(got NaN at index 1\)/,
    );
  });
});

describe("a quantiser in integers", () => {
  it.each(shapes)("has the same integers in TensorFlow while it is trained (V $subvectorLength)", (shape) => {
    const { numCodebooks: C, numCentroids: K, subvectorLength: V } = shape;
    for (const [seed, { scale }] of inputs.entries()) {
      const centroids = randomFloats(C * K * V, seed + 7).map((value, i) =>
        i % 11 === 0 ? 0 : value * 3 ** seed,
      );
      const { centroids: p, halfNorms } = pq.quantizeCodebooks(centroids, shape, { scale, zeroPoint: 0 });
      const trained = quantizeCodebooksTensor(tf.tensor3d(centroids, [C, K, V]), tf.scalar(scale));
      expect([...trained.centroids.dataSync()].map((value) => value + 0)).toEqual([...p]);
      expect([...trained.halfNorms.dataSync()]).toEqual([...halfNorms]);
      for (let c = 0; c < C; c++) {
        const book = p.subarray(c * K * V, (c + 1) * K * V);
        expect(book.reduce((most, value) => Math.max(most, Math.abs(value)), 0)).toBe(127);
      }
    }
  });

  it("decodes to scores in proportion to those of the rounded numbers, within a half for each half norm", () => {
    const shape = { numCodebooks: 1, numCentroids: 5, subvectorLength: 4 };
    const centroids = randomFloats(20, 3);
    const input = { scale: Math.fround(1 / 100), zeroPoint: 128 };
    const { centroids: p, halfNorms } = pq.quantizeCodebooks(centroids, shape, input);
    const scale = centroids.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
    for (let k = 0; k < 5; k++) {
      const squares = p.subarray(4 * k, 4 * k + 4).reduce((sum, value) => sum + (value * scale) ** 2, 0);
      expect(Math.abs(halfNorms[k] - squares / 2 / (scale * input.scale))).toBeLessThan(0.51);
    }
  });

  it.each(inputs)(
    "gives ties to the lower index, and codes that exact integers give ($zeroPoint)",
    (input) => {
      for (const [seed, shape] of shapes.entries()) {
        const { numCodebooks: C, numCentroids: K, subvectorLength: V } = shape;
        const rows = 23;
        const centroids = randomFloats(C * K * V, seed + 1);
        centroids.copyWithin(V, 0, V); // the second centroid is the first
        const x = randomFloats(rows * C * V, seed + 50).map((value) => value * input.scale * 200);
        const quantizer = new pq.IntegerQuantizer(shape, centroids, input);
        const { centroids: p, halfNorms } = quantizer.codebooks;
        const codes = quantizer.encode(x);
        const wanted = Array.from({ length: rows * C }, (_, i) => {
          const [n, c] = [Math.floor(i / C), i % C];
          const scores = Array.from({ length: K }, (_, k) => {
            let score = -BigInt(halfNorms[c * K + k]);
            for (let v = 0; v < V; v++) {
              const q = byteOf(x[(n * C + c) * V + v], input) - input.zeroPoint;
              score += BigInt(q) * BigInt(p[(c * K + k) * V + v]);
            }
            return score;
          });
          return scores.reduce((best, score, k) => (score > scores[best] ? k : best), 0);
        });
        expect([...codes]).toEqual(wanted);
        expect(codes.filter((_, i) => i % C === 0).includes(1)).toBe(false);
        expect(pq.encodeIntegersReference(x, rows, quantizer.codebooks, shape)).toEqual(codes);
      }
    },
  );

  it("never takes a centroid that lies far outside of what bytes hold", () => {
    const shape = { numCodebooks: 1, numCentroids: 2, subvectorLength: 1 };
    const quantizer = new pq.IntegerQuantizer(shape, Float32Array.of(1e20, 0), { scale: 1, zeroPoint: 0 });
    expect([...quantizer.codebooks.halfNorms]).toEqual([2 ** 23, 0]);
    expect([...quantizer.encode(Float32Array.of(0, 255, 1e30))]).toEqual([1, 1, 1]);
  });

  it("says what it cannot be made of", () => {
    const shape = { numCodebooks: 1, numCentroids: 2, subvectorLength: 2 };
    const make = (centroids: Float32Array, scale = 1, zeroPoint = 0, V = 2) =>
      new pq.IntegerQuantizer({ ...shape, subvectorLength: V }, centroids, { scale, zeroPoint });
    expect(() => make(new Float32Array(3))).toThrow(/centroids must hold C·K·V numbers \(got 3, wanted 4\)/);
    expect(() => make(new Float32Array(4), 0)).toThrow(/scale must be a float32 above 0 \(got 0\)/);
    expect(() => make(new Float32Array(4), 0.1)).toThrow(/must be a float32 above 0 \(got 0.1\)/);
    expect(() => make(new Float32Array(4), Number.NaN)).toThrow(/must be a float32 above 0 \(got NaN\)/);
    expect(() => make(new Float32Array(4), 1, 256)).toThrow(
      /zero point must be an integer from 0 to 255 \(got 256\)/,
    );
    expect(() => make(Float32Array.of(0, 0, Number.NaN, 0))).toThrow(/must be finite \(got NaN at index 2\)/);
    expect(() => make(new Float32Array(2 * 257), 1, 0, 257)).toThrow(
      /must be at most 256 for codes in int8 \(got 257\)/,
    );
    expect(() => make(new Float32Array(4)).encode(new Float32Array(3))).toThrow(
      /a positive multiple of 2 \(got 3\)/,
    );
  });
});

describe("soft-PQ with codes in integers", () => {
  const [N, C, K, V, M] = [31, 3, 6, 5, 4];
  const shape = { numCodebooks: C, numCentroids: K, subvectorLength: V };
  const [x, centroids, table, dy] = [N * C * V, C * K * V, C * K * M, N * M].map((size, i) =>
    randomFloats(size, i + 3),
  );
  const tensors = () =>
    [
      tf.tensor2d(x, [N, C * V]),
      tf.tensor3d(centroids, [C, K, V]),
      tf.tensor3d(table, [C, K, M]),
      tf.scalar(1),
    ] as const;
  const quantized = { scale: Math.fround(0.1), zeroPoint: 128 };
  const integers = { scale: tf.scalar(quantized.scale), zeroPoint: tf.scalar(quantized.zeroPoint) };

  it.each(["tfjs", "native"] as const)("looks up what the oracle's codes say (%s)", (backend) => {
    const y = pq.softPqLookup(...tensors(), { integers, backend, tableScale: "output" });
    const codes = new pq.IntegerQuantizer(shape, centroids, quantized).encode(x);
    const { values, scale } = pq.quantizeTable(table, M, "output");
    const sums = pq.lookupReference(codes, N, values, shape, M);
    expect([...y.dataSync()]).toEqual([...pq.scaleSumsReference(sums, scale, new Float32Array(M))]);
    const float = pq.encodeReference(x, N, centroids, shape);
    expect(codes.some((code, i) => code !== float[i])).toBe(true); // so coarse are these bytes
  });

  it.each(["tfjs", "native"] as const)(
    "has the gradients of the soft assignment, unchanged (%s)",
    (backend) => {
      const gradients = (options: pq.SoftLookupOptions) =>
        tf
          .grads((a, p, t, th) =>
            pq
              .softPqLookup(a as tf.Tensor2D, p as tf.Tensor3D, t as tf.Tensor3D, th as tf.Scalar, {
                ...options,
                backend,
              })
              .mul(tf.tensor2d(dy, [N, M])),
          )([...tensors()])
          .map((gradient) => [...gradient.dataSync()]);
      expect(gradients({ integers })).toEqual(gradients({}));
    },
  );
});
