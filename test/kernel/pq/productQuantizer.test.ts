import { LutnnError, pq } from "lutnn";
import { describe, expect, it } from "vitest";
import { checkFinite } from "../../../kernel/lib/pq/productQuantizer";
import { randomFloats } from "../random";

const sizes = [
  { rows: 1, C: 1, K: 2, V: 1 },
  { rows: 2, C: 3, K: 16, V: 9 },
  { rows: 5, C: 7, K: 16, V: 4 },
  { rows: 17, C: 2, K: 17, V: 5 },
  { rows: 33, C: 5, K: 16, V: 32 },
  { rows: 3, C: 1, K: 256, V: 2 },
];

describe("encode", () => {
  it.each(sizes)(
    "equals the loop reference bit for bit ($rows rows, C $C, K $K, V $V)",
    ({ rows, C, K, V }) => {
      const codebook = new pq.ProductQuantizer(
        { numCodebooks: C, numCentroids: K, subvectorLength: V },
        randomFloats(C * K * V, 3),
      );
      const x = randomFloats(rows * C * V, 4);
      expect(codebook.encode(x)).toEqual(pq.encodeReference(x, rows, codebook.centroids, codebook));
    },
  );

  it("runs natively here", () => {
    expect(pq.nativeStatus()).toMatchObject({ available: true });
  });

  it("gives back the centroid of every code when decoded", () => {
    const codebook = new pq.ProductQuantizer(
      { numCodebooks: 2, numCentroids: 2, subvectorLength: 2 },
      Float32Array.of(0, 1, 2, 3, 4, 5, 6, 7),
    );
    expect([...codebook.decode(Uint8Array.of(1, 0, 0, 1))]).toEqual([2, 3, 4, 5, 0, 1, 6, 7]);
    expect([...codebook.encode(Float32Array.of(2, 3, 4, 5))]).toEqual([1, 0]);
  });

  it("refuses arrays and shapes that do not fit, saying what was wanted", () => {
    const make = (K: number, V: number, length: number) => () =>
      new pq.ProductQuantizer(
        { numCodebooks: 1, numCentroids: K, subvectorLength: V },
        new Float32Array(length),
      );
    expect(make(1, 4, 4)).toThrow(/numCentroids \(K\) must be an integer from 2 to 256 \(got 1\)/);
    expect(make(257, 1, 257)).toThrow(/from 2 to 256 \(got 257\)/);
    expect(make(16, 0, 0)).toThrow(/subvectorLength \(V\) must be a positive integer \(got 0\)/);
    expect(make(2, 2, 5)).toThrow(/C·K·V numbers \(got 5, wanted 4\)/);
    const codebook = make(2, 3, 6)();
    expect(() => codebook.encode(new Float32Array(4))).toThrow(/multiple of 3 \(got 4\)/);
    expect(() => codebook.encode(new Float32Array(0))).toThrow(/got 0/);
    expect(() => codebook.decode(Uint8Array.of(0, 1, 2, 0))).toThrow(
      /decode: all codes must be below K = 2 \(got 2 at index 2\); use what encode gives/,
    );
  });
});

describe("checkFinite", () => {
  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    "finds %f wherever it stands, the first of several, and says where",
    (wrong) => {
      for (const at of [0, 1, 499, 998, 999]) {
        const values = new Float32Array(1000).fill(0.5);
        values[at] = wrong;
        values[999] = Number.NaN;
        const got = at === 999 ? Number.NaN : wrong;
        expect(() => checkFinite("here", values)).toThrow(
          new LutnnError(
            `here: all values must be finite (got ${got} at index ${at}); look for a division by zero or an exploding layer`,
          ),
        );
      }
    },
  );

  it("lets the largest and smallest numbers pass, and none at all", () => {
    const largest = 3.4028234663852886e38;
    checkFinite("here", Float32Array.of(largest, -largest, 1e-45, -0, 0));
    checkFinite("here", new Float32Array(0));
  });
});
