import { LutnnError, pq } from "lutnn";
import { describe, expect, it } from "vitest";
import { randomFloats } from "../random";

const shape = (numCodebooks: number, numCentroids: number, subvectorLength: number) => ({
  numCodebooks,
  numCentroids,
  subvectorLength,
});

/** Mean squared distance of the rows from their centroids. */
function distortion(codebook: pq.Codebook, x: Float32Array): number {
  const decoded = codebook.decode(codebook.encode(x));
  return x.reduce((sum, value, i) => sum + (value - decoded[i]) ** 2, 0) / x.length;
}

describe("kMeans", () => {
  it("finds well separated clusters exactly", async () => {
    const centers = [-9, -3, 2, 8];
    const noise = randomFloats(400, 1);
    const x = noise.map((value, i) => centers[i % 4] + value / 100);
    const { centroids } = await pq.kMeans(x, shape(1, 4, 1));
    const found = [...centroids].sort((a, b) => a - b);
    found.forEach((value, i) => {
      expect(Math.abs(value - centers[i])).toBeLessThan(0.01);
    });
  });

  it("gives the same centroids for the same seed and others for another", async () => {
    const x = randomFloats(300 * 6, 2);
    const [a, b, c] = await Promise.all([0, 0, 1].map((seed) => pq.kMeans(x, shape(3, 5, 2), { seed })));
    expect(a.centroids).toEqual(b.centroids);
    expect(a.centroids).not.toEqual(c.centroids);
  });

  it("does not get worse with more iterations", async () => {
    const x = randomFloats(500 * 4, 3);
    const errors: number[] = [];
    for (const iterations of [0, 1, 5, 25])
      errors.push(distortion(await pq.kMeans(x, shape(2, 8, 2), { iterations }), x));
    for (let i = 1; i < errors.length; i++) expect(errors[i]).toBeLessThanOrEqual(errors[i - 1] * (1 + 1e-6));
    expect(errors[3]).toBeLessThan(0.9 * errors[0]);
  });

  it("leaves no cluster empty while points are left to split", async () => {
    // 95 points in one spot and 5 far away: a start that misses them leaves empty clusters.
    const x = Float32Array.from({ length: 100 }, (_, i) => (i < 95 ? 0 : 10 + i));
    for (let seed = 0; seed < 10; seed++) {
      const codebook = await pq.kMeans(x, shape(1, 6, 1), { seed });
      expect(new Set(codebook.encode(x)).size).toBe(6);
      expect(distortion(codebook, x)).toBe(0);
    }
  });

  it("copes with fewer distinct points than centroids", async () => {
    const codebook = await pq.kMeans(Float32Array.of(1, 1, 2, 2), shape(1, 16, 1));
    expect(distortion(codebook, Float32Array.of(1, 2))).toBe(0);
  });

  it("uses at most pointsPerCentroid·K rows", async () => {
    const x = randomFloats(10_000, 4);
    const start = performance.now();
    await pq.kMeans(x, shape(1, 2, 1), { pointsPerCentroid: 3 });
    expect(performance.now() - start).toBeLessThan(2_000);
    const codebook = await pq.kMeans(Float32Array.of(0, 0, 0, 0, 0, 0, 7), shape(1, 2, 1), {
      pointsPerCentroid: 1,
      seed: 5,
    });
    expect(codebook.centroids.length).toBe(2);
  });

  it.each([
    ["empty data", new Float32Array(0), /non-empty matrix of C·V = 4 columns \(got 0 numbers\)/],
    ["a broken row", new Float32Array(5), /got 5 numbers/],
    ["NaN", Float32Array.of(1, 2, Number.NaN, 4), /all values must be finite \(got NaN at index 2\)/],
    ["infinity", Float32Array.of(1, 2, 3, Number.POSITIVE_INFINITY), /got Infinity at index 3/],
  ])("refuses %s in one sentence", async (_name, x, message) => {
    const attempt = pq.kMeans(x, shape(2, 4, 2));
    await expect(attempt).rejects.toThrow(LutnnError);
    await expect(attempt).rejects.toThrow(message);
  });

  it("stops when its signal is aborted", async () => {
    const attempt = pq.kMeans(randomFloats(4000, 5), shape(1, 16, 1), {
      signal: AbortSignal.abort(new Error("enough")),
    });
    await expect(attempt).rejects.toThrow("enough");
  });
});
