import { LutnnError, pq } from "lutnn";
import { kMeans as nativeKMeans, setThreads } from "lutnn-native/training";
import { afterEach, describe, expect, it } from "vitest";
import { randomFloats } from "../random";

const shape = (numCodebooks: number, numCentroids: number, subvectorLength: number) => ({
  numCodebooks,
  numCentroids,
  subvectorLength,
});

/** Mean squared distance of the rows from their centroids. */
function distortion(codebook: pq.ProductQuantizer, x: Float32Array): number {
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

describe("kMeans by the native training operators", () => {
  const asked = process.env.LUTNN_TRAINING;
  const runWith = (backend: "native" | "tfjs", x: Float32Array, size: pq.QuantizerShape, options = {}) => {
    process.env.LUTNN_TRAINING = backend;
    return pq.kMeans(x, size, options);
  };
  afterEach(() => {
    if (asked === undefined) delete process.env.LUTNN_TRAINING;
    else process.env.LUTNN_TRAINING = asked;
    setThreads(2);
  });

  it.each([
    [17, 5, 3, 4],
    [300, 7, 16, 9],
    [1000, 3, 40, 2],
    [5, 2, 16, 1],
    [333, 1, 256, 3],
  ])("equals the TypeScript form bit for bit (N %i, C %i, K %i, V %i)", async (rows, C, K, V) => {
    const x = randomFloats(rows * C * V, rows);
    const plain = await runWith("tfjs", x, shape(C, K, V), { seed: 3 });
    const native = await runWith("native", x, shape(C, K, V), { seed: 3 });
    expect(native.centroids).toEqual(plain.centroids);
  });

  it("equals it where clusters run empty", async () => {
    // Few distinct values, most of them alike.
    const x = Float32Array.from({ length: 400 * 6 }, (_, i) => (i % 37 < 30 ? 0 : (i * i) % 11));
    for (let seed = 0; seed < 5; seed++) {
      const plain = await runWith("tfjs", x, shape(3, 16, 2), { seed });
      const native = await runWith("native", x, shape(3, 16, 2), { seed });
      expect(native.centroids).toEqual(plain.centroids);
    }
  });

  it("gives the same centroids for any number of threads", async () => {
    const x = randomFloats(500 * 11 * 3, 6);
    const found: Float32Array[] = [];
    for (const threads of [1, 2, 3, 7]) {
      setThreads(threads);
      found.push((await runWith("native", x, shape(11, 16, 3))).centroids);
    }
    for (const centroids of found) expect(centroids).toEqual(found[0]);
  });

  it("refuses arrays that do not fit before it reads them", () => {
    const call = (points: number, draws: number, first: number, centroids: number, draw = 0.5) =>
      nativeKMeans(
        new Float32Array(points),
        5,
        2,
        3,
        4,
        1,
        new Float64Array(draws).fill(draw),
        first,
        new Float32Array(centroids),
      );
    expect(() => call(39, 6, 0, 24)).toThrow(/points must be float32 \(rows, C \* V\)/);
    expect(() => call(40, 5, 0, 24)).toThrow(/draws float64/);
    expect(() => call(40, 6, 1, 24)).toThrow(/one to C - first codebooks/);
    expect(() => call(40, 6, 2, 12)).toThrow(/first below C/);
    expect(() => call(40, 6, 0, 25)).toThrow(RangeError);
    expect(() => call(40, 6, 0, 24, 1)).toThrow(/draws must be at least 0 and below 1/);
    expect(() => call(40, 6, 0, 24)).not.toThrow();
  });
});
