import { LutnnError, pq } from "lutnn";
import { describe, expect, it } from "vitest";
import { randomFloats } from "../random";

/** Rows of correlated numbers, as after a ReLU: few hidden sources mixed into many columns, a little noise, no negatives. */
function correlated(rows: number, columns: number, seed: number): Float32Array {
  const sources = 3;
  const mix = randomFloats(sources * columns, seed);
  const hidden = randomFloats(rows * sources, seed + 1);
  const noise = randomFloats(rows * columns, seed + 2);
  return Float32Array.from({ length: rows * columns }, (_, i) => {
    const [n, d] = [Math.floor(i / columns), i % columns];
    let sum = 0.1 * noise[i];
    for (let s = 0; s < sources; s++) sum += hidden[n * sources + s] * mix[s * columns + d];
    return Math.max(0, sum);
  });
}

function product(x: Float32Array, weight: Float32Array, inputLength: number): Float64Array {
  const [rows, outputs] = [x.length / inputLength, weight.length / inputLength];
  const y = new Float64Array(rows * outputs);
  for (let n = 0; n < rows; n++)
    for (let d = 0; d < inputLength; d++)
      for (let m = 0; m < outputs; m++)
        y[n * outputs + m] += x[n * inputLength + d] * weight[d * outputs + m];
  return y;
}

/** Σ(y − ŷ)² / Σ(y − ȳ)². */
function relativeError(y: Float64Array, approximate: ArrayLike<number>): number {
  const mean = y.reduce((a, b) => a + b) / y.length;
  const sum = (f: (value: number, i: number) => number) =>
    y.reduce((total, value, i) => total + f(value, i) ** 2, 0);
  return sum((value, i) => value - approximate[i]) / sum((value) => value - mean);
}

/** Maddness in its true form, written again from its description with brute force everywhere. */
function byBruteForce(x: Float32Array, C: number, V: number) {
  const D = C * V;
  const rows = Array.from({ length: x.length / D }, (_, n) => Array.from(x.subarray(n * D, n * D + D)));
  const sse = (members: number[], columns: number[]) =>
    columns.reduce((sum, d) => {
      const mean = members.reduce((s, n) => s + rows[n][d], 0) / Math.max(1, members.length);
      return sum + members.reduce((s, n) => s + (rows[n][d] - mean) ** 2, 0);
    }, 0);
  const codes = rows.map(() => new Array<number>(C).fill(0));
  for (let c = 0; c < C; c++) {
    const columns = Array.from({ length: V }, (_, v) => c * V + v);
    let leaves = [rows.map((_, n) => n)];
    const levels: { d: number; thresholds: number[] }[] = [];
    for (let level = 0; level < 4; level++) {
      const total = (d: number) => leaves.reduce((sum, members) => sum + sse(members, [d]), 0);
      const tried = [...columns].sort((a, b) => total(b) - total(a)).slice(0, 4);
      let best = { d: -1, thresholds: [] as number[], error: Number.POSITIVE_INFINITY };
      for (const d of tried) {
        let error = 0;
        const thresholds = leaves.map((members) => {
          const values = [...new Set(members.map((n) => rows[n][d]))].sort((a, b) => a - b);
          if (values.length === 0) return 0;
          let cut = { threshold: values[values.length - 1], error: sse(members, columns) };
          for (let i = 0; i + 1 < values.length; i++) {
            const threshold = (values[i] + values[i + 1]) / 2;
            const sides = [
              members.filter((n) => rows[n][d] <= threshold),
              members.filter((n) => rows[n][d] > threshold),
            ];
            const e = sse(sides[0], columns) + sse(sides[1], columns);
            if (e < cut.error - 1e-9) cut = { threshold, error: e };
          }
          error += cut.error;
          return cut.threshold;
        });
        if (error < best.error - 1e-9) best = { d, thresholds, error };
      }
      levels.push(best);
      leaves = leaves.flatMap((members, node) => [
        members.filter((n) => rows[n][best.d] <= best.thresholds[node]),
        members.filter((n) => rows[n][best.d] > best.thresholds[node]),
      ]);
    }
    rows.forEach((row, n) => {
      let node = 0;
      for (const { d, thresholds } of levels) {
        const all = rows.map((r) => r[d]);
        const [low, high] = [Math.min(...all), Math.max(...all)];
        const q = (value: number) =>
          Math.max(0, Math.min(255, Math.floor(((value - low) * 255) / (high - low))));
        node = 2 * node + (q(row[d]) > q(thresholds[node]) ? 1 : 0);
      }
      codes[n][c] = node;
    });
  }
  return codes;
}

/** The trees of the quick form, written again: a level looks at the dimension of largest squared error and cuts at medians. */
function byMedians(x: Float32Array, V: number) {
  let leaves = [Array.from({ length: x.length / V }, (_, n) => Array.from(x.subarray(n * V, n * V + V)))];
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [dimensions, thresholds]: [number[], number[]] = [[], []];
  for (let level = 0; level < 4; level++) {
    const error = (d: number) =>
      leaves
        .map((rows) => rows.map((row) => row[d]))
        .reduce(
          (sum, values) => sum + values.reduce((all, value) => all + (value - mean(values)) ** 2, 0),
          0,
        );
    const errors = Array.from({ length: V }, (_, d) => error(d));
    const dimension = errors.indexOf(Math.max(...errors));
    const cuts = leaves.map((rows) => {
      const values = rows.map((row) => row[dimension]).sort((a, b) => a - b);
      const middle = Math.floor(values.length / 2);
      if (values.length === 0) return 0;
      return values.length % 2 === 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
    });
    dimensions.push(dimension);
    thresholds.push(...cuts.map(Math.fround));
    leaves = leaves.flatMap((rows, node) => [
      rows.filter((row) => row[dimension] <= Math.fround(cuts[node])),
      rows.filter((row) => row[dimension] > Math.fround(cuts[node])),
    ]);
  }
  return { dimensions, thresholds };
}

/** Ridge regression by Gaussian elimination: (GᵀG + λI)⁻¹ Gᵀ Y. */
function ridge(g: number[][], y: number[][], lambda: number): number[][] {
  const n = g[0].length;
  const a = Array.from({ length: n }, (_, i) => [
    ...Array.from({ length: n }, (_, j) => g.reduce((s, row) => s + row[i] * row[j], i === j ? lambda : 0)),
    ...y[0].map((_, m) => g.reduce((s, row, r) => s + row[i] * y[r][m], 0)),
  ]);
  for (let i = 0; i < n; i++) {
    const pivot = a
      .slice(i)
      .reduce((best, row, k) => (Math.abs(row[i]) > Math.abs(a[best][i]) ? i + k : best), i);
    [a[i], a[pivot]] = [a[pivot], a[i]];
    for (let k = 0; k < n; k++)
      if (k !== i) {
        const factor = a[k][i] / a[i][i];
        for (let j = i; j < a[k].length; j++) a[k][j] -= factor * a[i][j];
      }
  }
  return a.map((row, i) => row.slice(n).map((value) => value / row[i]));
}

describe("Maddness", () => {
  it("has the codes and prototypes of a brute-force implementation", async () => {
    const [C, V, N] = [2, 5, 60];
    const x = correlated(N, C * V, 1);
    const maddness = await pq.Maddness.fit(x, { numCodebooks: C, subvectorLength: V });
    const codes = byBruteForce(x, C, V);
    expect([...maddness.encode(x)]).toEqual(codes.flat());
    const oneHot = codes.map((row) =>
      Array.from({ length: C * 16 }, (_, k) => (row[Math.floor(k / 16)] === k % 16 ? 1 : 0)),
    );
    const means = Array.from({ length: C * 16 }, (_, k) => {
      const members = oneHot.flatMap((row, n) => (row[k] === 1 ? [n] : []));
      return Array.from({ length: C * V }, (_, d) =>
        Math.floor(d / V) === Math.floor(k / 16) && members.length > 0
          ? members.reduce((s, n) => s + x[n * C * V + d], 0) / members.length
          : 0,
      );
    });
    const residual = codes.map((row, n) =>
      Array.from(
        { length: C * V },
        (_, d) => x[n * C * V + d] - row.reduce((s, code, c) => s + means[c * 16 + code][d], 0),
      ),
    );
    const correction = ridge(oneHot, residual, 1);
    maddness.prototypes.forEach((value, i) => {
      const [k, d] = [Math.floor(i / (C * V)), i % (C * V)];
      expect(Math.abs(value - means[k][d] - correction[k][d])).toBeLessThan(2e-3);
    });
  });

  it.each(["true", "fast"] as const)(
    "fits a layer's table as prototypes times its weight, by form %s",
    async (form) => {
      const [C, V, N, M] = [2, 5, 60, 3];
      const [x, weight] = [correlated(N, C * V, 3), correlated(C * V, M, 4)];
      const target = Float32Array.from({ length: N * M }, (_, i) => {
        const [n, m] = [Math.floor(i / M), i % M];
        return Array.from({ length: C * V }, (_, d) => x[n * C * V + d] * weight[d * M + m]).reduce(
          (a, b) => a + b,
        );
      });
      const shape = { numCodebooks: C, subvectorLength: V };
      const whole = await pq.Maddness.fit(x, shape, { form });
      const { coder, table } = await pq.Maddness.fitLayer(x, shape, { weight, target }, { form });
      expect(coder.encode(x)).toEqual(whole.encode(x));
      const wanted = whole.lookupTable(weight);
      expect(table.outputs).toBe(M);
      const [got, expected] = [coder.apply(x, table), whole.apply(x, wanted)];
      const most = Math.max(...expected.map(Math.abs));
      // Both regressions end where the residual is a thousandth of the first; uint8 rounds once more.
      got.forEach((value, i) => {
        expect(Math.abs(value - expected[i])).toBeLessThan(1e-2 * most);
      });
    },
  );

  it("has the codes of a brute-force implementation on numbers of both signs, and with leaves that stay empty", async () => {
    const [C, V, N] = [2, 3, 50];
    const x = randomFloats(N * C * V, 21);
    const maddness = await pq.Maddness.fit(x, { numCodebooks: C, subvectorLength: V });
    expect([...maddness.encode(x)]).toEqual(byBruteForce(x, C, V).flat());
    const few = Float32Array.from({ length: 12 * 2 }, (_, i) => [1, 2, -1, 3, 0.5, -2][i % 6]); // three rows, four times
    const tree = (await pq.Maddness.fit(few, { numCodebooks: 1, subvectorLength: 2 }, { form: "fast" }))
      .treeArrays;
    expect([...tree.dimensions]).toEqual(byMedians(few, 2).dimensions);
    expect([...tree.thresholds]).toEqual(byMedians(few, 2).thresholds);
    expect(tree.thresholds.filter((threshold) => threshold === 0).length).toBeGreaterThan(3);
  });

  it("in its quick form cuts each level's dimension of largest error at the medians", async () => {
    for (const rows of [37, 40]) {
      const x = randomFloats(rows * 5, rows);
      const fitted = await pq.Maddness.fit(x, { numCodebooks: 1, subvectorLength: 5 }, { form: "fast" });
      expect([...fitted.treeArrays.dimensions]).toEqual(byMedians(x, 5).dimensions);
      expect([...fitted.treeArrays.thresholds]).toEqual(byMedians(x, 5).thresholds);
    }
  });

  it("learns its trees from rows at even distances", async () => {
    const [rows, V] = [50, 3];
    const x = randomFloats(rows * V, 22);
    const shape = { numCodebooks: 1, subvectorLength: V };
    const wanted = Array.from({ length: 20 }, (_, i) => Math.floor((i * rows) / 20));
    const some = Float32Array.from(wanted.flatMap((row) => [...x.subarray(row * V, row * V + V)]));
    const seen = (await pq.Maddness.fit(x, shape, { form: "fast", treeRows: 20.5 })).treeArrays;
    expect([...seen.thresholds]).toEqual(byMedians(some, V).thresholds);
    expect([...seen.dimensions]).toEqual(byMedians(some, V).dimensions);
    await expect(pq.Maddness.fit(x, shape, { treeRows: 0.5 })).rejects.toThrow(
      /treeRows must be from 1 .*got 0 of 50/,
    );
  });

  it("adds pairwise means, rounded up, of sixteen codebooks each, and the others as they are", async () => {
    const [C, M] = [35, 2]; // two groups and three more
    const x = correlated(120, C, 31);
    const maddness = await pq.Maddness.fit(x, { numCodebooks: C, subvectorLength: 1 });
    const table = maddness.lookupTable(randomFloats(C * M, 32));
    const codes = maddness.encode(x);
    const mean = (entries: number[]): number =>
      entries.length === 1
        ? entries[0]
        : mean(
            Array.from({ length: entries.length / 2 }, (_, i) =>
              Math.ceil((entries[2 * i] + entries[2 * i + 1]) / 2),
            ),
          );
    const offset = table.offsets.reduce((sum, value) => sum + value, 0);
    maddness.apply(x, table, { sum: "average" }).forEach((value, i) => {
      const [n, m] = [Math.floor(i / M), i % M];
      const entries = Array.from({ length: C }, (_, c) => table.values[(c * 16 + codes[n * C + c]) * M + m]);
      const groups = [0, 16].reduce((sum, from) => sum + 16 * mean(entries.slice(from, from + 16)), 0);
      const total = groups + entries.slice(32).reduce((sum, entry) => sum + entry, 0) - (32 / 4) * 4;
      expect(value).toBeCloseTo(total / table.scale + offset, 4);
    });
  });

  it.each(["true", "fast"] as const)("is made again of its trees as arrays (%s)", async (form) => {
    const [C, V] = [3, 4];
    const shape = { numCodebooks: C, subvectorLength: V };
    const x = randomFloats(80 * C * V, 41);
    const fitted = await pq.Maddness.fit(x, shape, { form });
    const again = pq.Maddness.fromTrees(form, shape, fitted.treeArrays);
    expect(again.treeArrays).toEqual(fitted.treeArrays);
    expect(again.encode(x)).toEqual(fitted.encode(x));
    const table = fitted.lookupTable(randomFloats(C * V * 2, 42));
    expect(again.apply(x, table)).toEqual(fitted.apply(x, table));
    expect(() => again.lookupTable(new Float32Array(C * V))).toThrow(/must keep the table that it came with/);
  });

  it("takes columns that are constant or alike: the first of them, and one leaf for all rows", async () => {
    const alike = Float32Array.from([...randomFloats(40, 43)].flatMap((value) => [0.5, value, value]));
    const shape = { numCodebooks: 1, subvectorLength: 3 };
    const byMedian = await pq.Maddness.fit(alike, shape, { form: "fast" });
    expect(byMedian.treeArrays.dimensions[0]).toBe(1);
    expect((await pq.Maddness.fit(alike, shape)).treeArrays.dimensions[0]).toBe(1);
    // 0 | 1, 2 and 0, 1 | 2 leave the same error: the lower threshold, ½ of 2, in 255 steps.
    const even = await pq.Maddness.fit(Float32Array.of(0, 1, 2), { numCodebooks: 1, subvectorLength: 1 });
    expect(even.treeArrays.thresholds[0]).toBe(Math.floor((0.5 * 255) / 2));
    const constant = new Float32Array(30).fill(2);
    const fitted = await pq.Maddness.fit(constant, shape);
    expect([...fitted.treeArrays.scales]).toEqual([2, 0, 2, 0, 2, 0, 2, 0]);
    expect([...fitted.encode(constant)]).toEqual(new Array(10).fill(0));
    const table = fitted.lookupTable(new Float32Array(6));
    expect([table.scale, ...table.offsets, Math.max(...table.values)]).toEqual([1, 0, 0]);
  });

  it("is nearer to the product in its true form than in the quick one, on correlated data", async () => {
    const [C, V, M] = [8, 8, 12];
    const all = correlated(3000, C * V, 4);
    const [x, fresh] = [all.slice(0, 2000 * C * V), all.slice(2000 * C * V)];
    const weight = randomFloats(C * V * M, 9);
    const error = async (form: pq.MaddnessForm) => {
      const maddness = await pq.Maddness.fit(x, { numCodebooks: C, subvectorLength: V }, { form });
      return relativeError(
        product(fresh, weight, C * V),
        maddness.apply(fresh, maddness.lookupTable(weight)),
      );
    };
    const [exact, fast] = [await error("true"), await error("fast")];
    expect(exact).toBeLessThan(0.8 * fast);
    expect(exact).toBeLessThan(0.1);
  });

  it("loses its mean error to the bias correction of averaged sums", async () => {
    const [C, V, M] = [64, 2, 8];
    const x = correlated(600, C * V, 7);
    const maddness = await pq.Maddness.fit(x, { numCodebooks: C, subvectorLength: V });
    const table = maddness.lookupTable(randomFloats(C * V * M, 8));
    const exact = maddness.apply(x, table);
    const averaged = maddness.apply(x, table, { sum: "average" });
    const steps = averaged.map((value, i) => (value - exact[i]) * table.scale);
    const mean = steps.reduce((a, b) => a + b) / steps.length;
    expect(Math.abs(mean)).toBeLessThan(0.1 * (C / 4) * 4); // a tenth of what is corrected: 64 steps
    expect(steps.some((step) => step !== 0)).toBe(true);
    const bias = randomFloats(M, 3);
    maddness.apply(x.subarray(0, C * V), table, { bias }).forEach((value, m) => {
      expect(value).toBeCloseTo(exact[m] + bias[m], 5);
    });
  });

  it("sums codebooks that do not fill a group of sixteen exactly", async () => {
    const x = correlated(200, 20, 10);
    const maddness = await pq.Maddness.fit(x, { numCodebooks: 10, subvectorLength: 2 });
    const table = maddness.lookupTable(randomFloats(20 * 3, 1));
    expect(maddness.apply(x, table, { sum: "average" })).toEqual(maddness.apply(x, table));
  });

  it("has tables of bytes with one power of two as scale", async () => {
    const x = correlated(300, 12, 12);
    const maddness = await pq.Maddness.fit(x, { numCodebooks: 3, subvectorLength: 4 });
    const table = maddness.lookupTable(randomFloats(12 * 5, 2));
    expect(table.values).toBeInstanceOf(Uint8Array);
    expect(Math.log2(table.scale) % 1).toBe(0);
    const largest = Math.max(...table.values);
    expect(largest).toBeGreaterThan(127);
  });

  it("refuses data and options that do not fit", async () => {
    const shape = { numCodebooks: 2, subvectorLength: 2 };
    await expect(pq.Maddness.fit(new Float32Array(0), shape)).rejects.toThrow(LutnnError);
    await expect(pq.Maddness.fit(new Float32Array(6), shape)).rejects.toThrow(
      /C·V = 4 columns \(got 6 numbers\)/,
    );
    await expect(pq.Maddness.fit(Float32Array.of(1, 2, 3, Number.NaN), shape)).rejects.toThrow(
      /got NaN at index 3/,
    );
    await expect(pq.Maddness.fit(new Float32Array(4), shape, { form: "slow" as "true" })).rejects.toThrow(
      /form must be "true" or "fast" \(got "slow"\)/,
    );
    const fast = await pq.Maddness.fit(randomFloats(40, 1), shape, { form: "fast" });
    expect(() =>
      fast.apply(randomFloats(4, 1), fast.lookupTable(randomFloats(4, 2)), { sum: "average" }),
    ).toThrow(/need the uint8 tables of form "true"/);
    expect(() => fast.encode(new Float32Array(5))).toThrow(/multiple of 4 \(got 5\)/);
    expect(() => fast.lookupTable(new Float32Array(5))).toThrow(/must have 4 rows \(got 5 numbers\)/);
  });
});
