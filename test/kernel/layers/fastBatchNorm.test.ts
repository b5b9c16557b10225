import { tf } from "lutnn";
import { afterEach, describe, expect, it, vi } from "vitest";
import { assembleNetwork, freshLayer } from "../../../kernel/lib/layers/assemble";
import { fastBatchNorm } from "../../../kernel/lib/layers/fastBatchNorm";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { randomFloats } from "../random";

type Config = Parameters<typeof tf.layers.batchNormalization>[0];

afterEach(() => vi.restoreAllMocks());

/** TensorFlow's own batch norm and ours, with equal weights. */
function pair(config: Config, shape: number[]): { stock: tf.layers.Layer; fast: tf.layers.Layer } {
  const make = () => {
    const layer = tf.layers.batchNormalization(config);
    layer.apply(tf.input({ shape }));
    layer.setWeights(
      layer.weights.map(({ shape: dims, name }, i) => {
        const size = dims[0] as number;
        const values = randomFloats(size, i + 1).map((v) =>
          name.includes("variance") ? 1 + Math.abs(v) : v,
        );
        return tf.tensor1d(values);
      }),
    );
    return layer;
  };
  return { stock: make(), fast: fastBatchNorm(make()) };
}

const image = [5, 7, 4];
const batch = (seed: number, shape = image) =>
  tf.tensor(
    randomFloats(6 * shape.reduce((a, b) => a * b), seed).map((v, i) => 2 * v + (i % 4)),
    [6, ...shape],
  );

function expectClose(a: tf.Tensor, b: tf.Tensor, what: string): void {
  expect(a.shape).toEqual(b.shape);
  expect(tf.max(tf.abs(tf.sub(a, b))).dataSync()[0], what).toBeLessThan(2e-5);
}

/** Trains both for some steps; outputs, gradients and moving statistics must stay equal. */
function expectSame({ stock, fast }: ReturnType<typeof pair>, shape = image): void {
  for (let step = 0; step < 3; step++) {
    const x = batch(step + 10, shape);
    const dy = batch(step + 20, shape);
    const gradients = [stock, fast].map((layer) => {
      const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
      const loss = () => tf.sum(tf.mul(layer.apply(x, { training: true }) as tf.Tensor, dy)) as tf.Scalar;
      const { grads } = tf.variableGrads(loss, variables);
      const dx = tf.grad((one) => layer.apply(one, { training: true }) as tf.Tensor)(x, dy);
      return [dx, ...variables.map(({ name }) => grads[name])];
    });
    gradients[0].forEach((gradient, i) => {
      const largest = tf.max(tf.abs(gradient)).dataSync()[0];
      expectClose(tf.div(gradients[1][i], largest), tf.div(gradient, largest), `gradient ${i}`);
    });
    for (const training of [true, false]) {
      const [a, b] = [stock, fast].map((layer) => layer.apply(x, { training }) as tf.Tensor);
      expectClose(b, a, `output, training ${training}`);
    }
    const [a, b] = [stock, fast].map((layer) => layer.getWeights());
    a.forEach((weight, i) => {
      expectClose(b[i], weight, stock.weights[i].name);
    });
  }
}

describe("the fast batch norm", () => {
  it.each([0.99, 0.9, 0.3])(
    "trains as TensorFlow.js' own does, moving statistics by value: momentum %f",
    (momentum) => {
      expectSame(pair({ momentum, epsilon: 0.01 }, image));
    },
  );

  it("moves its statistics by 1 − momentum of the way to the batch's", () => {
    const { fast } = pair({ momentum: 0.75 }, image);
    const [, , mean, variance] = fast.getWeights().map((weight) => weight.arraySync() as number[]);
    const x = batch(3);
    const moments = tf.moments(x, [0, 1, 2]);
    const [batchMean, batchVariance] = [moments.mean, moments.variance].map((m) => m.arraySync() as number[]);
    fast.apply(x, { training: true });
    const [, , newMean, newVariance] = fast.getWeights().map((weight) => weight.arraySync() as number[]);
    newMean.forEach((value, c) => {
      expect(value).toBeCloseTo(0.75 * mean[c] + 0.25 * batchMean[c], 5);
      expect(newVariance[c]).toBeCloseTo(0.75 * variance[c] + 0.25 * batchVariance[c], 5);
    });
  });

  it.each<[string, Config, number[], boolean]>([
    ["images", {}, image, true],
    ["images, axis 3", { axis: 3 }, image, true],
    ["images, axis 1", { axis: 1 }, image, false],
    ["rows", {}, [4], false],
  ])("takes its own path where it fits, and no other: %s", (_, config, shape, own) => {
    const layer = tf.layers.batchNormalization(config);
    const call = vi.spyOn(Object.getPrototypeOf(layer), "call");
    fastBatchNorm(fastBatchNorm(layer));
    layer.apply(batch(1, shape), { training: true });
    expect(call).toHaveBeenCalledTimes(own ? 0 : 1);
    layer.apply(batch(1, shape));
    expect(call).toHaveBeenCalledTimes(own ? 1 : 2);
  });

  it("leaves what it does not fit to TensorFlow.js", () => {
    expectSame(pair({}, [4]), [4]);
  });

  it("comes with every fresh layer of an assembled network, with the settings of the old", () => {
    const input = tf.input({ shape: image });
    const layer = tf.layers.batchNormalization({ momentum: 0.6, epsilon: 0.02, name: "bn" });
    const model = tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
    const call = vi.spyOn(Object.getPrototypeOf(layer), "call");
    const copy = assembleNetwork(new NetworkGraph(model), (name, old) => freshLayer(old, name)).getLayer(
      "bn",
    );
    expect(copy.getConfig()).toEqual(layer.getConfig());
    copy.apply(batch(1), { training: true });
    expect(call).not.toHaveBeenCalled();
  });
});
