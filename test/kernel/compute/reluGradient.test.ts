import { tf } from "lutnn";
import { afterEach, describe, expect, it } from "vitest";
import { randomFloats } from "../random";

const run = async (backend: string, compute: () => tf.Tensor): Promise<number[]> => {
  await tf.setBackend(backend);
  return tf.tidy(() => [...compute().dataSync()]);
};

/** The same in TensorFlow and in tf.js' plain backend. */
async function inBoth(compute: () => tf.Tensor): Promise<number[]> {
  const native = await run("tensorflow", compute);
  expect(await run("cpu", compute)).toEqual(native);
  return native;
}

describe("the gradient of ReLU", () => {
  afterEach(async () => {
    await tf.setBackend("tensorflow");
  });

  it("passes where the input is positive, not at zero", async () => {
    const x = [-2, -2e-38, -0, 0, 2e-38, 3];
    const gradient = await inBoth(() =>
      tf.grad((v) => tf.mul(tf.relu(v), [1, 2, 3, 4, 5, 6]))(tf.tensor1d(x)),
    );
    expect(gradient).toEqual([0, 0, 0, 0, 5, 6]);
  });

  it("has a gradient itself", async () => {
    // d²/dx² of relu(x)³ is 6·x where x > 0
    const slope = tf.grad((v) => tf.sum(tf.grad((u) => tf.sum(tf.pow(tf.relu(u), 3)))(v)));
    expect(await inBoth(() => slope(tf.tensor1d([-2, 0.5, 2])))).toEqual([0, 3, 12]);
  });

  it("is of an activation in a layer, too, for each number", async () => {
    const values = randomFloats(2 * 6 * 6 * 3, 1);
    const kernel = randomFloats(3 * 3 * 3 * 4, 2);
    const dx = await run("tensorflow", () => {
      const layer = tf.layers.conv2d({ filters: 4, kernelSize: 3, activation: "relu", useBias: false });
      layer.build([null, 6, 6, 3]);
      layer.setWeights([tf.tensor(kernel, [3, 3, 3, 4])]);
      return tf.grad((x) => layer.apply(x) as tf.Tensor)(tf.tensor(values, [2, 6, 6, 3]));
    });
    const byHand = await run("tensorflow", () => {
      const [x, w] = [tf.tensor4d(values, [2, 6, 6, 3]), tf.tensor4d(kernel, [3, 3, 3, 4])];
      const active = tf.cast(tf.greater(tf.conv2d(x, w, 1, "valid"), 0), "float32");
      return tf.grad((v) => tf.mul(tf.conv2d(v as tf.Tensor4D, w, 1, "valid"), active))(x);
    });
    expect(dx).toEqual(byHand);
  });
});
