import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { fastLayerNorm } from "../../../kernel/lib/layers/fastLayerNorm";
import { randomFloats } from "../random";

/** Relative to the largest number: sums in another order. */
const tolerance = 2e-5;

type Config = Exclude<Parameters<typeof tf.layers.layerNormalization>[0], undefined>;

/** TensorFlow's own and ours; its own without a scale, which has no gradient, has one of ones in its place. */
function pair(config: Config, shape: number[]) {
  const make = (isStock: boolean) => {
    const layer = tf.layers.layerNormalization(isStock ? { ...config, scale: true } : config);
    layer.apply(tf.input({ shape }));
    layer.setWeights(
      layer.weights.map(({ shape: dims }, i) => {
        const size = (dims as number[]).reduce((a, b) => a * b);
        const isScale = i === 0 && config.scale === false && isStock;
        const values = randomFloats(size, i - layer.weights.length).map((value) => (isScale ? 1 : value));
        return tf.tensor(values, dims as number[]);
      }),
    );
    return layer;
  };
  return [make(true), fastLayerNorm(make(false))];
}

describe("the fast layer norm", () => {
  it.each<[Config, number[]]>([
    [{ epsilon: 1e-12 }, [5, 7]],
    [{ epsilon: 0.1 }, [6]],
    [{ axis: [1, 2] }, [3, 5]],
    [{ scale: false }, [5]],
    [{ scale: false }, [3, 4]],
  ])("computes and learns as TensorFlow.js' own: %j on %j", (config, shape) => {
    const layers = pair(config, shape);
    const size = 4 * shape.reduce((a, b) => a * b);
    const x = tf.tensor(
      randomFloats(size, 1).map((v) => 3 * v + 1),
      [4, ...shape],
    );
    const dy = tf.tensor(randomFloats(size, 2), [4, ...shape]);
    const results = layers.map((layer) => {
      const call = (one: tf.Tensor) => layer.apply(one) as tf.Tensor;
      const own = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const variables = config.scale === false ? own.slice(-1) : own;
      const { grads, value } = tf.variableGrads(() => tf.sum(tf.mul(call(x), dy)) as tf.Scalar, variables);
      value.dispose();
      return [
        tf.tidy(() => call(x)),
        tf.tidy(() => tf.grad(call)(x, dy)),
        ...variables.map(({ name }) => grads[name]),
      ];
    });
    expect(results[0].length).toBe(config.scale === false ? 3 : 4);
    results[0].forEach((wanted, i) => {
      const largest = tf.max(tf.abs(wanted)).dataSync()[0];
      const worst = tf.max(tf.abs(tf.sub(wanted, results[1][i]))).dataSync()[0];
      expect(largest).toBeGreaterThan(0.01);
      expect(worst / largest, `result ${i}`).toBeLessThan(tolerance);
    });
  });
});
