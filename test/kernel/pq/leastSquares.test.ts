import { pq, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { solvePositiveDefinite } from "../../../kernel/lib/pq/leastSquares";
import { randomFloats } from "../random";

describe("the conjugate-gradient solver", () => {
  it("solves a positive definite system for all columns and keeps no tensor", async () => {
    const [n, m] = [17, 3];
    const root = tf.tensor2d(randomFloats(n * n, 1), [n, n]);
    const a = tf.tidy(() =>
      tf.add(tf.matMul(root, root, true, false), tf.mul(tf.eye(n), 0.5)),
    ) as tf.Tensor2D;
    const x = tf.tensor2d(randomFloats(n * m, 2), [n, m]);
    const b = tf.matMul(a, x) as tf.Tensor2D;
    const before = tf.memory().numTensors;
    const found = await solvePositiveDefinite(a, b, { tolerance: 1e-6 });
    expect(tf.memory().numTensors).toBe(before + 1);
    const wanted = x.dataSync();
    found.dataSync().forEach((value, i) => {
      expect(Math.abs(value - wanted[i])).toBeLessThan(1e-3);
    });
    tf.dispose([root, a, x, b, found]);
  });
});

describe("fitTable", () => {
  const shape = { numCodebooks: 3, numCentroids: 4, subvectorLength: 1 };
  const rows = 500;
  const outputs = 2;
  const codes = Uint8Array.from(randomFloats(rows * 3, 3), (value) => Math.floor((value + 1) * 2));

  it("reproduces outputs that some table gives", async () => {
    const planted = randomFloats(3 * 4 * outputs, 4);
    const target = tableOutputs(planted);
    const fitted = await pq.fitTable(codes, target, new Float32Array(planted.length), shape, {
      lambda: 1e-6,
      tolerance: 1e-6,
    });
    const got = tableOutputs(fitted);
    got.forEach((value, i) => {
      expect(Math.abs(value - target[i])).toBeLessThan(1e-3);
    });
  });

  it("stays at its start where the start is exact, and for codes that never occur", async () => {
    const planted = randomFloats(3 * 4 * outputs, 5);
    const never = codes.map((code) => Math.min(code, 2)); // code 3 does not occur
    const fitted = await pq.fitTable(never, randomFloats(rows * outputs, 6), planted, shape);
    for (let c = 0; c < 3; c++)
      for (let m = 0; m < outputs; m++)
        expect(fitted[(c * 4 + 3) * outputs + m]).toBe(planted[(c * 4 + 3) * outputs + m]);
    const same = await pq.fitTable(codes, tableOutputs(planted), planted, shape);
    same.forEach((value, i) => {
      expect(Math.abs(value - planted[i])).toBeLessThan(1e-5);
    });
  });

  it("refuses a target of another length", async () => {
    await expect(pq.fitTable(codes, new Float32Array(7), new Float32Array(24), shape)).rejects.toThrow(
      /N·M = 1000 numbers \(got 7\)/,
    );
  });

  /** Σ_c table[c][code], float32 (rows, outputs). */
  function tableOutputs(table: Float32Array): Float32Array {
    const y = new Float32Array(rows * outputs);
    for (let n = 0; n < rows; n++)
      for (let c = 0; c < 3; c++)
        for (let m = 0; m < outputs; m++)
          y[n * outputs + m] += table[(c * 4 + codes[n * 3 + c]) * outputs + m];
    return y;
  }
});

describe("fitWeight", () => {
  it("finds the weight behind exact outputs", async () => {
    const [rows, length, outputs] = [300, 8, 3];
    const x = randomFloats(rows * length, 7);
    const weight = randomFloats(length * outputs, 8);
    const target = tf.tidy(() =>
      tf.matMul(tf.tensor2d(x, [rows, length]), tf.tensor2d(weight, [length, outputs])).dataSync(),
    ) as Float32Array;
    const fitted = await pq.fitWeight(x, target, new Float32Array(weight.length), length, {
      lambda: 1e-6,
      tolerance: 1e-6,
    });
    fitted.forEach((value, i) => {
      expect(Math.abs(value - weight[i])).toBeLessThan(1e-3);
    });
  });
});
