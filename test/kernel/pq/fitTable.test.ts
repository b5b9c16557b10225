import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { LutnnError, pq } from "lutnn";
import { describe, expect, it } from "vitest";
import { randomFloats } from "../random";

/** Of float32 sums of some thousand terms of order one, against the same in double precision. */
const tolerance = 1e-5;
/** Without a ridge the problem is singular, and its solver passes rounding on enlarged. */
const singularTolerance = 1e-4;

const shape = { numCodebooks: 3, numCentroids: 4, subvectorLength: 1 };
const rows = 500;

/** Codes that occur about equally often, (rows, C). */
const randomCodes = (rows: number, C: number, K: number, seed: number) =>
  Uint8Array.from(randomFloats(rows * C, seed), (value) =>
    Math.min(K - 1, Math.floor(((value + 1) * K) / 2)),
  );

/** Σ_c table[c][code], float32 (rows, outputs). */
function tableOutputs(codes: Uint8Array, table: Float32Array, { numCodebooks: C, numCentroids: K } = shape) {
  const outputs = table.length / (C * K);
  const y = new Float32Array((codes.length / C) * outputs);
  for (let i = 0; i < codes.length; i++)
    for (let m = 0; m < outputs; m++)
      y[Math.floor(i / C) * outputs + m] += table[((i % C) * K + codes[i]) * outputs + m];
  return y;
}

/** The ridge problem of one output column as a dense matrix and right-hand side, in double precision. */
function denseProblem(
  codes: Uint8Array,
  target: Float32Array,
  start: Float32Array,
  ridge: number,
  m: number,
) {
  const { numCodebooks: C, numCentroids: K } = shape;
  const outputs = start.length / (C * K);
  const a = Array.from({ length: C * K }, (_, i) =>
    Array.from({ length: C * K }, (_, j) => (i === j ? ridge : 0)),
  );
  const b = new Array<number>(C * K).fill(0);
  for (let n = 0; n < codes.length / C; n++) {
    const entries = Array.from({ length: C }, (_, c) => c * K + codes[n * C + c]);
    const residual =
      target[n * outputs + m] - entries.reduce((sum, entry) => sum + start[entry * outputs + m], 0);
    for (const i of entries) {
      b[i] += residual;
      for (const j of entries) a[i][j]++;
    }
  }
  return { a, b };
}

/** Textbook conjugate gradients, preconditioned with the diagonal: x after so many steps from 0. */
function conjugateGradients(a: number[][], b: number[], steps: number): number[] {
  const dot = (u: number[], v: number[]) => u.reduce((sum, value, i) => sum + value * v[i], 0);
  const x = b.map(() => 0);
  const r = [...b];
  let z = r.map((value, i) => value / a[i][i]);
  let p = [...z];
  let rz = dot(r, z);
  for (let step = 0; step < steps && rz > 0; step++) {
    const product = a.map((row) => dot(row, p));
    const length = rz / dot(p, product);
    for (let i = 0; i < x.length; i++) {
      x[i] += length * p[i];
      r[i] -= length * product[i];
    }
    z = r.map((value, i) => value / a[i][i]);
    const next = dot(r, z);
    p = z.map((value, i) => value + (next / rz) * p[i]);
    rz = next;
  }
  return x;
}

describe("fitTable", () => {
  const codes = randomCodes(rows, 3, 4, 3);
  const outputs = 2;
  const start = randomFloats(3 * 4 * outputs, 5);
  const target = randomFloats(rows * outputs, 6);

  it.each([0, 1, 2, 3, 5])(
    "is where conjugate gradients on the dense matrix are after %i steps",
    async (steps) => {
      const lambda = 0.02;
      const fitted = await pq.fitTable(codes, target, start, shape, {
        lambda,
        maxIterations: steps,
        tolerance: 0,
      });
      for (let m = 0; m < outputs; m++) {
        const { a, b } = denseProblem(codes, target, start, (lambda * rows) / 4, m);
        conjugateGradients(a, b, steps).forEach((change, i) => {
          expect(Math.abs(fitted[i * outputs + m] - start[i * outputs + m] - change)).toBeLessThan(tolerance);
        });
      }
    },
  );

  it("takes eight steps unless told otherwise", async () => {
    const steps = (options: pq.FitTableOptions) =>
      pq.fitTable(codes, target, start, shape, { tolerance: 0, ...options });
    expect(await steps({})).toEqual(await steps({ maxIterations: 8 }));
    expect(await steps({})).not.toEqual(await steps({ maxIterations: 7 }));
  });

  it("reproduces outputs that some table gives", async () => {
    const wanted = tableOutputs(codes, randomFloats(3 * 4 * outputs, 4));
    const fitted = await pq.fitTable(codes, wanted, new Float32Array(start.length), shape, {
      lambda: 1e-9,
      maxIterations: 100,
      tolerance: 1e-7,
    });
    tableOutputs(codes, fitted).forEach((value, i) => {
      expect(Math.abs(value - wanted[i])).toBeLessThan(singularTolerance);
    });
  });

  it("stays at its start where the start is exact, and for codes that never occur, without a ridge too", async () => {
    const never = codes.map((code) => Math.min(code, 2)); // code 3 does not occur
    for (const lambda of [1e-3, 0]) {
      const fitted = await pq.fitTable(never, target, start, shape, { lambda });
      for (let c = 0; c < 3; c++)
        for (let m = 0; m < outputs; m++)
          expect(fitted[(c * 4 + 3) * outputs + m]).toBe(start[(c * 4 + 3) * outputs + m]);
    }
    const same = await pq.fitTable(codes, tableOutputs(codes, start), start, shape);
    same.forEach((value, i) => {
      expect(Math.abs(value - start[i])).toBeLessThan(tolerance);
    });
  });

  it("pulls towards the start as much as λ says, whatever the number of rows", async () => {
    const twice = (array: Uint8Array | Float32Array) => Array.from({ length: 2 }, () => [...array]).flat();
    const once = await pq.fitTable(codes, target, start, shape, { lambda: 0.5 });
    const doubled = await pq.fitTable(
      Uint8Array.from(twice(codes)),
      Float32Array.from(twice(target)),
      start,
      shape,
      { lambda: 0.5 },
    );
    doubled.forEach((value, i) => {
      expect(Math.abs(value - once[i])).toBeLessThan(tolerance);
    });
    const far = await pq.fitTable(codes, target, start, shape, { lambda: 1e6 });
    far.forEach((value, i) => {
      expect(Math.abs(value - start[i])).toBeLessThan(tolerance);
    });
  });

  it("ends an output's steps at the tolerance, whatever the other outputs need", async () => {
    // Output 0 is met by its start; output 1 is not.
    const mixed = tableOutputs(codes, start).map((value, i) => (i % 2 === 0 ? value : target[i]));
    const both = await pq.fitTable(codes, mixed, start, shape, { tolerance: 0.1, maxIterations: 50 });
    const column = (array: Float32Array, m: number) => array.filter((_, i) => i % outputs === m);
    for (let m = 0; m < outputs; m++) {
      const alone = await pq.fitTable(codes, column(mixed, m), column(start, m), shape, {
        tolerance: 0.1,
        maxIterations: 50,
      });
      expect(column(both, m)).toEqual(alone);
    }
  });

  it("fits many outputs and rows as it fits each output alone", async () => {
    const [C, K, M, N] = [3, 16, 131, 9001]; // three groups of outputs, three sums of rows
    const size = { numCodebooks: C, numCentroids: K, subvectorLength: 1 };
    const many = randomCodes(N, C, K, 8);
    const [wanted, from] = [randomFloats(N * M, 9), randomFloats(C * K * M, 10)];
    const all = await pq.fitTable(many, wanted, from, size);
    for (const m of [0, 63, 64, 130]) {
      const column = (array: Float32Array) => array.filter((_, i) => i % M === m);
      expect(column(all)).toEqual(await pq.fitTable(many, column(wanted), column(from), size));
    }
  });

  it("gives the same to the last bit without native code, in a process that never loads tf.js", () => {
    const run = (library: string) =>
      JSON.parse(
        execFileSync(process.execPath, [join(import.meta.dirname, "fitAlone.mjs"), library], {
          encoding: "utf8",
          env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "2" },
        }),
      );
    const [alone, whole] = [run("pq"), run("lutnn")];
    expect(alone.table).toBe(whole.table);
    expect(alone.centroids).toBe(whole.centroids);
    expect(alone.loaded).toEqual([]);
    expect(whole.loaded).not.toEqual([]);
  });

  it("says how far it is, lets timers run, and stops in the middle when aborted", async () => {
    const [C, N, M] = [64, 20_000, 65];
    const size = { numCodebooks: C, numCentroids: 16, subvectorLength: 1 };
    const many = randomCodes(N, C, 16, 11);
    const [wanted, from] = [randomFloats(N * M, 12), new Float32Array(C * 16 * M)];
    const controller = new AbortController();
    const shares: number[] = [];
    const attempt = pq.fitTable(many, wanted, from, size, {
      signal: controller.signal,
      tolerance: 0,
      onProgress: (share) => {
        shares.push(share);
        if (shares.length === 3) controller.abort(new Error("enough"));
      },
    });
    await expect(attempt).rejects.toThrow("enough");
    expect(shares).toHaveLength(3); // nothing was computed after the abort
    expect(shares[2]).toBeLessThan(0.5);

    const all: number[] = [];
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await pq.fitTable(many, wanted, from, size, { tolerance: 0, onProgress: (share) => all.push(share) });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
    expect(all).toEqual([...all].sort((a, b) => a - b));
    expect(all.at(-1)).toBe(1);
    expect(Math.max(...all)).toBe(1);
  });

  it.each([
    ["a target of another length", { target: new Float32Array(7) }, /N·M = 1000 numbers \(got 7\)/],
    ["a start of another length", { start: new Float32Array(25) }, /C·K = 12 rows \(got 25 numbers\)/],
    ["a broken row of codes", { codes: new Uint8Array(1501) }, /matrix of C = 3 columns \(got 1501 codes\)/],
    ["no codes", { codes: new Uint8Array(0) }, /non-empty matrix .*got 0 codes/],
    [
      "a code beyond K",
      { codes: codes.with(700, 4) },
      /all codes must be below K = 4 \(got 4 at index 700\); use what encode gives/,
    ],
    [
      "NaN in the target",
      { target: target.with(801, Number.NaN) },
      /must be finite \(got a sum of NaN for output 1\)/,
    ],
    ["infinity in the start", { start: start.with(0, Infinity) }, /must be finite .* for output 0\)/],
    ["a negative ridge", { options: { lambda: -1 } }, /lambda must be a number from 0 \(got -1\)/],
    ["a tolerance of NaN", { options: { tolerance: Number.NaN } }, /tolerance must be .*\(got NaN\)/],
    ["endless steps", { options: { maxIterations: Infinity } }, /maxIterations must be .*\(got Infinity\)/],
  ])("refuses %s", async (_name, change, message) => {
    const all = { codes, target, start, options: {}, ...change };
    const attempt = pq.fitTable(all.codes, all.target, all.start, shape, all.options);
    await expect(attempt).rejects.toThrow(message);
    await expect(pq.fitTable(all.codes, all.target, all.start, shape, all.options)).rejects.toThrow(
      LutnnError,
    );
  });
});
