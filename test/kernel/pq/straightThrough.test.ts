import { pq, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { commitmentLoss, hardLookup, straightThrough } from "../../../kernel/lib/pq/straightThrough";
import { randomFloats } from "../random";

/** Of gradients, against plain loops in double precision. */
const tolerance = 1e-4;

const [N, C, K, V, M] = [11, 3, 5, 4, 6];
const shape = { numCodebooks: C, numCentroids: K, subvectorLength: V };
const [x, centroids, table, dy] = [N * C * V, C * K * V, C * K * M, N * M].map((size, i) =>
  randomFloats(size, i + 20),
);
const codes = pq.encodeReference(x, N, centroids, shape);

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(got[i] - wanted[i])).toBeLessThan(tolerance);
}

describe("the hard lookup", () => {
  it("gives what inference gives, and the table the gradients of the rows that chose each entry", () => {
    const f = (t: tf.Tensor) =>
      hardLookup(tf.tensor2d(x, [N, C * V]), tf.tensor3d(centroids, [C, K, V]), t as tf.Tensor3D, "output");
    const tensor = tf.tensor3d(table, [C, K, M]);
    const { values, scale } = pq.quantizeTable(table, M, "output");
    const sums = pq.lookupReference(codes, N, values, shape, M);
    expect(f(tensor).dataSync()).toEqual(pq.scaleSumsReference(sums, scale, new Float32Array(M)));
    const gradient = tf
      .grad(f)(tensor, tf.tensor2d(dy, [N, M]))
      .dataSync();
    const wanted = new Float64Array(C * K * M);
    for (let n = 0; n < N; n++)
      for (let c = 0; c < C; c++)
        for (let m = 0; m < M; m++) wanted[(c * K + codes[n * C + c]) * M + m] += dy[n * M + m];
    expectClose(gradient, wanted);
  });

  it("gives neither input nor centroids a gradient", () => {
    const [dx, dp] = tf.grads((a, p) =>
      hardLookup(a as tf.Tensor2D, p as tf.Tensor3D, tf.tensor3d(table, [C, K, M]), "layer"),
    )([tf.tensor2d(x, [N, C * V]), tf.tensor3d(centroids, [C, K, V])], tf.tensor2d(dy, [N, M]));
    expect([...dx.dataSync(), ...dp.dataSync()].every((value) => value === 0)).toBe(true);
  });
});

describe("straight-through", () => {
  it("has the first value and the gradients of both", () => {
    const [a, b] = [tf.tensor1d([1, 2]), tf.tensor1d([3, 4])];
    const f = (p: tf.Tensor, q: tf.Tensor) => straightThrough(tf.mul(p, 2), tf.mul(q, 3));
    expect([...f(a, b).dataSync()]).toEqual([2, 4]);
    const [da, db] = tf.grads(f)([a, b], tf.tensor1d([1, 10]));
    expect([...da.dataSync(), ...db.dataSync()]).toEqual([2, 20, 3, 30]);
  });
});

describe("the commitment loss", () => {
  it("has the value and the gradients of its formula", () => {
    const [beta, gamma] = [0.25, 1.5];
    const f = (a: tf.Tensor, p: tf.Tensor) => commitmentLoss(a as tf.Tensor2D, p as tf.Tensor3D, beta, gamma);
    const inputs = [tf.tensor2d(x, [N, C * V]), tf.tensor3d(centroids, [C, K, V])];
    const [dx, dp] = tf.grads(f)(inputs, tf.scalar(2));
    const means = Array.from(
      { length: C * V },
      (_, d) => Array.from({ length: N }, (_, n) => x[n * C * V + d]).reduce((s, v) => s + v, 0) / N,
    );
    const variance = x.reduce((sum, value, i) => sum + (value - means[i % (C * V)]) ** 2, 0);
    let squared = 0;
    const wantedX = new Float64Array(x.length);
    const wantedP = new Float64Array(centroids.length);
    x.forEach((value, i) => {
      const [n, d] = [Math.floor(i / (C * V)), i % (C * V)];
      const c = Math.floor(d / V);
      const at = (c * K + codes[n * C + c]) * V + (d % V);
      const difference = value - centroids[at];
      squared += difference ** 2;
      wantedX[i] = (2 * 2 * beta * difference) / variance;
      wantedP[at] -= (2 * 2 * gamma * difference) / variance;
    });
    expect(f(inputs[0], inputs[1]).dataSync()[0]).toBeCloseTo(((beta + gamma) * squared) / variance, 5);
    expectClose(dx.dataSync(), wantedX);
    expectClose(dp.dataSync(), wantedP);
  });
});
