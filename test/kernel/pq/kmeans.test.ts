import { LutnnError, pq } from "lutnn";
import { kMeans as nativeKMeans, setThreads } from "lutnn-native/training";
import { afterEach, describe, expect, it } from "vitest";
import { sampleIndices, seededRandom } from "../../../kernel/lib/pq/random";
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

  it("sees pointsPerCentroid·K rows, drawn by its seed: those of a sample made by hand", async () => {
    const [rows, length, size] = [50, 4, shape(2, 3, 2)];
    const x = randomFloats(rows * length, 4);
    for (const [seed, pointsPerCentroid] of [
      [0, 4],
      [7, 4],
      [7, 5],
    ]) {
      // Fisher-Yates from the end: the first 3 · pointsPerCentroid of a shuffled list, in rising order.
      const random = seededRandom(seed, "k-means rows");
      const order = Array.from({ length: rows }, (_, i) => i);
      for (let last = rows - 1; last > 0; last--) {
        const other = Math.floor(random() * (last + 1));
        [order[last], order[other]] = [order[other], order[last]];
      }
      const chosen = order.slice(0, 3 * pointsPerCentroid).sort((a, b) => a - b);
      const sample = Float32Array.from(
        chosen.flatMap((row) => [...x.slice(row * length, (row + 1) * length)]),
      );
      const found = await pq.kMeans(x, size, { seed, pointsPerCentroid });
      expect(found.centroids).toEqual((await pq.kMeans(sample, size, { seed })).centroids);
      expect(found.centroids).not.toEqual((await pq.kMeans(x, size, { seed })).centroids);
    }
  });

  it("puts its centroids on rows that it saw, where it makes no iteration", async () => {
    // Every row is of its own kind, so the centroids name the rows: of 1,000 rows, at most 2 · 3 were seen.
    const x = Float32Array.from({ length: 1000 }, (_, i) => i);
    const seen = new Set<number>();
    const random = seededRandom(9, "k-means rows");
    const rows = sampleIndices(1000, 6, random);
    const { centroids } = await pq.kMeans(x, shape(1, 2, 1), {
      pointsPerCentroid: 3,
      seed: 9,
      iterations: 0,
    });
    for (const row of rows) seen.add(row);
    expect(seen.size).toBe(6);
    for (const centroid of centroids) expect(seen).toContain(centroid);
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

  it("is stopped in the middle by its signal", async () => {
    // Several turns' worth of codebooks: the timer comes after the first.
    const x = new Float32Array(4096 * 96 * 32);
    for (let i = 0; i < x.length; i++) x[i] = (i * i) % 101;
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error("enough")));
    await expect(pq.kMeans(x, shape(96, 16, 32), { signal: controller.signal })).rejects.toThrow("enough");
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

  it("equals it where points lie alike: the first of the farthest, and what was drawn last", async () => {
    // Each pair lies as far on one side of its middle as on the other; the second case has fewer points than centroids.
    const pairs = Float32Array.from({ length: 64 }, (_, i) => 100 * (i % 2) + (i % 4 < 2 ? -1 : 1));
    const few = Float32Array.from({ length: 40 }, (_, i) => (i * 7) % 3);
    for (const [x, K] of [
      [pairs, 5],
      [few, 16],
    ] as const)
      for (let seed = 0; seed < 12; seed++) {
        const plain = await runWith("tfjs", x, shape(1, K, 1), { seed });
        const native = await runWith("native", x, shape(1, K, 1), { seed });
        expect(native.centroids).toEqual(plain.centroids);
      }
  });

  it("moves an empty cluster to the farthest point of the cluster of largest error, as plain loops do", async () => {
    const [N, C, K, V] = [24, 3, 8, 2];
    const size = shape(C, K, V);
    const random = seededRandom(118, "test");
    const one = Float32Array.from({ length: N * V }, () => Math.round(6 * (2 * random() - 1)));
    const x = Float32Array.from({ length: N * C * V }, (_, i) => one[Math.floor(i / (C * V)) * V + (i % V)]); // C times
    let moved = 0;
    // By these seeds one of the three codebooks has an empty cluster after its first iteration.
    for (const seed of [0, 180, 476, 1780, 3423]) {
      const start = await runWith("tfjs", x, size, { seed, iterations: 1 });
      const codes = start.encode(x);
      const wanted = start.centroids.slice();
      for (let c = 0; c < C; c++) {
        const own = Array.from({ length: N }, (_, n) => ({
          point: one.subarray(n * V, n * V + V),
          code: codes[n * C + c],
        }));
        const members = (k: number) => own.filter(({ code }) => code === k);
        const at = (k: number, v: number) => (c * K + k) * V + v;
        for (let k = 0; k < K; k++)
          for (let v = 0; v < V; v++)
            if (members(k).length > 0)
              wanted[at(k, v)] = members(k).reduce((sum, { point }) => sum + point[v], 0) / members(k).length;
        const distance = (point: Float32Array, k: number) =>
          point.reduce((sum, value, v) => sum + (value - wanted[at(k, v)]) ** 2, 0);
        const errors = Array.from({ length: K }, (_, k) =>
          members(k).reduce((sum, { point }) => sum + distance(point, k), 0),
        );
        for (let k = 0; k < K; k++) {
          if (members(k).length > 0) continue;
          const donor = errors.indexOf(Math.max(...errors));
          const far = members(donor).reduce((best, other) =>
            distance(other.point, donor) > distance(best.point, donor) ? other : best,
          );
          wanted.set(far.point, at(k, 0));
          errors[donor] = 0;
          moved++;
        }
      }
      for (const backend of ["tfjs", "native"] as const)
        expect((await runWith(backend, x, size, { seed, iterations: 2 })).centroids).toEqual(wanted);
    }
    expect(moved).toBe(5);
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
    expect(() => call(39, 6, 0, 24)).toThrow(
      "kMeans: points must have rows · numCodebooks · subvectorLength = 5 · 2 · 4 = 40 elements (got 39)",
    );
    expect(() => call(40, 5, 0, 24)).toThrow(/draws must have numCodebooks · numCentroids = 2 · 3 = 6/);
    expect(() => call(40, 6, 1, 24)).toThrow(/from one to numCodebooks - first = 1 codebooks \(got 2\)/);
    expect(() => call(40, 6, 2, 12)).toThrow(/first must be an integer from 0 to 1 \(got 2\)/);
    expect(() => call(40, 6, 0, 25)).toThrow(RangeError);
    expect(() => call(40, 6, 0, 24, 1)).toThrow(/draws must be at least 0 and below 1/);
    expect(() => call(40, 6, 0, 24, Number.NaN)).toThrow(/draws must .*\(got -?nan at index 0\)/);
    expect(() => call(40, 6, 0, 24)).not.toThrow();
  });

  it("refuses memory that could change after it was checked, and numbers of the wrong kind", () => {
    const [C, K, V, rows] = [2, 3, 4, 5];
    const sound = {
      points: new Float32Array(rows * C * V),
      draws: new Float64Array(C * K).fill(0.5),
      centroids: new Float32Array(C * K * V),
    };
    const call = (change: object, count: unknown = rows) => {
      const { points, draws, centroids } = { ...sound, ...change };
      return () => Reflect.apply(nativeKMeans, null, [points, count, C, K, V, 1, draws, 0, centroids]);
    };
    expect(call({})).not.toThrow();
    const memory = new ArrayBuffer(512);
    const draws = new Float64Array(memory, 0, C * K).fill(0.5);
    const overDraws = { draws, centroids: new Float32Array(memory, 40, C * K * V) };
    expect(call(overDraws)).toThrow(/centroids must not overlap draws/);
    const points = new Float32Array(memory, 0, rows * C * V);
    expect(call({ points, centroids: new Float32Array(memory, 156, C * K * V) })).toThrow(
      /centroids must not overlap points/,
    );
    for (const name of ["points", "draws", "centroids"] as const) {
      const { buffer, length } = sound[name];
      const Kind = name === "draws" ? Float64Array : Float32Array;
      const room = new SharedArrayBuffer(buffer.byteLength);
      const shared = name === "draws" ? new Float64Array(room) : new Float32Array(room);
      expect(call({ [name]: shared })).toThrow(TypeError);
      expect(call({ [name]: shared })).toThrow(`${name} must not lie in a SharedArrayBuffer`);
      const gone = new Kind(length);
      structuredClone(gone.buffer, { transfer: [gone.buffer] });
      expect(call({ [name]: gone }), name).toThrow(/must not be detached|must hold from one/);
      const other = name === "draws" ? new Float32Array(length) : new Float64Array(length);
      expect(call({ [name]: other })).toThrow(TypeError);
      expect(call({ [name]: [1, 2] })).toThrow(TypeError);
    }
    const resizable = Reflect.construct(ArrayBuffer, [C * K * 8, { maxByteLength: 512 }]) as ArrayBuffer & {
      resize(bytes: number): void;
    };
    const shrinking = new Float64Array(resizable, 0, C * K).fill(0.5);
    expect(call({ draws: shrinking })).not.toThrow();
    resizable.resize(C * K * 8 - 8); // the array has lost its memory
    expect(call({ draws: shrinking })).toThrow(
      /draws must have numCodebooks · numCentroids = 2 · 3 = 6 elements/,
    );
    expect(call({}, "5")).toThrow(TypeError);
    expect(call({}, 5.5)).toThrow(RangeError);
    for (const threads of ["2", undefined, null])
      expect(() => Reflect.apply(setThreads, null, [threads])).toThrow(TypeError);
    for (const threads of [0, 1.5, 1025, Number.NaN]) expect(() => setThreads(threads)).toThrow(RangeError);
  });
});
