import { pq, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { commitmentLoss, partlyStraightThrough } from "../../../kernel/lib/compute/straightThrough";
import { randomFloats } from "../random";

/** Of gradients, against plain loops in double precision. */
const tolerance = 1e-4;

const [N, C, K, V] = [11, 3, 5, 4];
const shape = { numCodebooks: C, numCentroids: K, subvectorLength: V };
const [x, centroids] = [N * C * V, C * K * V].map((size, i) => randomFloats(size, i + 20));
const codes = pq.encodeReference(x, N, centroids, shape);

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>): void {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) expect(Math.abs(got[i] - wanted[i])).toBeLessThan(tolerance);
}

describe("partly straight-through", () => {
  it("has the lookup's value, and of its gradient to the input the share that was asked for", () => {
    const a = tf.tensor1d([1, 2]);
    const slope = tf.variable(tf.scalar(2));
    const lookup = (input: tf.Tensor) => tf.mul(tf.square(input), slope);
    const f = (input: tf.Tensor) => partlyStraightThrough(input, lookup, (dy) => tf.mul(dy, 100), 0.25);
    expect([...f(a).dataSync()]).toEqual([2, 8]);
    const [da, dslope] = tf.grads((input: tf.Tensor, weight: tf.Tensor) =>
      partlyStraightThrough(
        input,
        (x) => tf.mul(tf.square(x), weight),
        (dy) => tf.mul(dy, 100),
        0.25,
      ),
    )([a, slope], tf.tensor1d([1, 10]));
    expect([...da.dataSync()]).toEqual([0.25 * 4 + 75, 0.25 * 80 + 750]);
    expect(dslope.dataSync()[0]).toBe(1 + 40);
  });
});

describe("the commitment loss", () => {
  it("is to the centroids that codes in integers choose", () => {
    const input = { scale: Math.fround(0.4), zeroPoint: 128 }; // so coarse that some codes differ
    const chosen = new pq.IntegerQuantizer(shape, centroids, input).encode(x);
    expect(chosen).not.toEqual(codes);
    const decoded = new pq.ProductQuantizer(shape, centroids).decode(chosen);
    const [a, p] = [tf.tensor2d(x, [N, C * V]), tf.tensor3d(centroids, [C, K, V])];
    const tensors = { scale: tf.scalar(input.scale), zeroPoint: tf.scalar(input.zeroPoint) };
    const squares = decoded.reduce((sum, value, i) => sum + (value - x[i]) ** 2, 0);
    const variance = tf.sum(tf.squaredDifference(a, tf.mean(a, 0))).dataSync()[0];
    expectClose(commitmentLoss(a, p, 1, 0, tensors).dataSync(), [squares / variance]);
  });

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
