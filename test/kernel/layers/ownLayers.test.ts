import * as lutnn from "lutnn";
import { describe, expect, it } from "vitest";
import { expectSameFile, randomInputs, randomWeights } from "../onnx/sameOutputs";
import { randomFloats } from "../random";

const { tf } = lutnn;
const L = tf.layers;
type Symbolic = lutnn.tf.SymbolicTensor;

/** Attention by plain loops in double precision. */
function attentionByLoops(
  [query, key, value]: number[][][],
  mask: number[] | null,
  numHeads: number,
): number[][] {
  const [depth, width] = [query[0].length / numHeads, value[0].length / numHeads];
  return query.map((q) => {
    const out = Array<number>(value[0].length).fill(0);
    for (let head = 0; head < numHeads; head++) {
      const scores = key.map((k, j) => {
        if (mask && mask[j] === 0) return Number.NEGATIVE_INFINITY;
        let sum = 0;
        for (let d = head * depth; d < (head + 1) * depth; d++) sum += q[d] * k[d];
        return sum / Math.sqrt(depth);
      });
      const most = Math.max(...scores);
      const powers = scores.map((score) => Math.exp(score - most));
      const total = powers.reduce((a, b) => a + b);
      value.forEach((v, j) => {
        for (let e = head * width; e < (head + 1) * width; e++) out[e] += (powers[j] / total) * v[e];
      });
    }
    return out;
  });
}

const sizes = { size: 2, length: 3, positions: 5, depth: 8, width: 12, numHeads: 4 };
const { size, length, positions, depth, width, numHeads } = sizes;
const tensors = () =>
  [
    [size, length, depth],
    [size, positions, depth],
    [size, positions, width],
  ].map((shape, i) =>
    tf.tensor3d(
      randomFloats(
        shape.reduce((a, b) => a * b),
        i + 1,
      ),
      shape as [number, number, number],
    ),
  );
const maskValues = [
  [1, 0, 1, 1, 0],
  [0, 1, 1, 1, 1],
];

describe("attention", () => {
  it.each([false, true])("is what its formula says, masked: %s", (masked) => {
    const inputs = tensors();
    const layer = lutnn.layers.attention({ numHeads });
    for (const dtype of ["float32", "int32", "bool"] as const) {
      const mask = tf.tensor2d(maskValues, undefined, dtype);
      const y = layer.apply(masked ? [...inputs, mask] : inputs) as lutnn.tf.Tensor;
      const arrays = inputs.map((x) => x.arraySync() as number[][][]);
      const wanted = [0, 1].map((n) =>
        attentionByLoops(
          arrays.map((x) => x[n]),
          masked ? maskValues[n] : null,
          numHeads,
        ),
      );
      expect(y.shape).toEqual([size, length, width]);
      const difference = tf.max(tf.abs(tf.sub(y, tf.tensor(wanted)))).dataSync()[0];
      expect(difference).toBeLessThan(1e-6);
    }
  });

  it("has the gradients of its formula", () => {
    const inputs = tensors();
    const mask = tf.tensor2d(maskValues);
    const layer = lutnn.layers.attention({ numHeads });
    const dy = tf.tensor3d(randomFloats(size * length * width, 9), [size, length, width]);
    const loss = (...x: lutnn.tf.Tensor[]) =>
      tf.sum(tf.mul(layer.apply([...x, mask]) as lutnn.tf.Tensor, dy)) as lutnn.tf.Scalar;
    const gradients = tf.grads(loss)(inputs);
    const arrays = inputs.map((x) => x.arraySync() as number[][][]);
    const weights = dy.arraySync() as number[][][];
    const exact = (values: number[][][][]) =>
      [0, 1].reduce((sum, n) => {
        const y = attentionByLoops(
          values.map((x) => x[n]),
          maskValues[n],
          numHeads,
        );
        return sum + y.flat().reduce((part, value, i) => part + value * weights[n].flat()[i], 0);
      }, 0);
    const step = 1e-5;
    gradients.forEach((gradient, which) => {
      const got = gradient.arraySync() as number[][][];
      got.forEach((rows, n) => {
        rows.forEach((row, i) => {
          row.forEach((value, j) => {
            const moved = [1, -1].map((sign) => {
              const copy = structuredClone(arrays);
              copy[which][n][i][j] += sign * step;
              return exact(copy);
            });
            expect(value).toBeCloseTo((moved[0] - moved[1]) / (2 * step), 4);
          });
        });
      });
    });
  });

  it.each([
    ["no list of three or four", [[3, 8]], /attention takes \[query .*\(got \[null, 3, 8\]\)/],
    [
      "query and key of two lengths",
      [
        [3, 8],
        [5, 4],
        [5, 8],
      ],
      /\(got \[null, 3, 8\], \[null, 5, 4\], \[null, 5, 8\]\)/,
    ],
    [
      "key and value of two numbers of positions",
      [
        [3, 8],
        [5, 8],
        [4, 8],
      ],
      /attention takes/,
    ],
    ["a mask that is not of the key", [[3, 8], [5, 8], [5, 8], [3]], /attention takes/],
    [
      "heads that do not fit",
      [
        [3, 6],
        [5, 6],
        [5, 8],
      ],
      /numHeads must divide .*\(got 4 heads for 6 and 8\)/,
    ],
  ])("refuses %s", (_, shapes, message) => {
    const inputs = shapes.map((shape) => tf.input({ shape }));
    expect(() => lutnn.layers.attention({ numHeads: 4 }).apply(inputs)).toThrow(message);
    expect(() => lutnn.layers.attention({ numHeads: 4 }).apply(inputs)).toThrow(lutnn.LutnnError);
  });

  it("refuses a number of heads that is none", () => {
    expect(() => lutnn.layers.attention({ numHeads: 0, name: "a" })).toThrow(
      /a: numHeads must be a positive integer \(got 0\)/,
    );
  });
});

/** One encoder block of a transformer on tokens, with a padding mask as an input. */
function encoder(): lutnn.tf.LayersModel {
  const tokens = tf.input({ shape: [5], dtype: "int32", name: "tokens" });
  const mask = tf.input({ shape: [5], dtype: "int32", name: "mask" });
  const dense = (units: number, x: Symbolic, activation?: "gelu") =>
    L.dense({ units, activation: activation as "relu" }).apply(x) as Symbolic;
  const x = L.embedding({ inputDim: 7, outputDim: 8 }).apply(tokens) as Symbolic;
  const read = lutnn.layers
    .attention({ numHeads: 2, name: "attention" })
    .apply([dense(8, x), dense(8, x), dense(8, x), mask]) as Symbolic;
  const sum = L.layerNormalization().apply(L.add().apply([x, dense(8, read)])) as Symbolic;
  const forward = dense(8, dense(16, sum, "gelu"));
  const y = L.layerNormalization().apply(L.add().apply([sum, forward])) as Symbolic;
  const outputs = dense(3, L.globalAveragePooling1d({}).apply(y) as Symbolic);
  return randomWeights(tf.model({ inputs: [tokens, mask], outputs }));
}

describe("an encoder of dense layers and attention", () => {
  const inputs = () => {
    const [tokens] = randomInputs(encoder(), 2);
    return [tokens, tf.tensor2d(maskValues, undefined, "int32")];
  };

  it("is exported as it computes", async () => {
    await expectSameFile(encoder(), inputs());
  });

  it("trains, and is stored with what it has learnt", async () => {
    const model = encoder();
    const [x, y] = [inputs(), tf.tensor2d(randomFloats(6, 3), [2, 3])];
    model.compile({ optimizer: tf.train.adam(0.01), loss: "meanSquaredError" });
    const before = (model.evaluate(x, y) as lutnn.tf.Scalar).dataSync()[0];
    await model.fit(x, y, { epochs: 80, verbose: 0 });
    const after = (model.evaluate(x, y) as lutnn.tf.Scalar).dataSync()[0];
    expect(after).toBeLessThan(0.2 * before);
    const again = await tf.models.modelFromJSON(model.toJSON(null, false) as never);
    again.setWeights(model.getWeights());
    expect((again.predict(x) as lutnn.tf.Tensor).dataSync()).toEqual(
      (model.predict(x) as lutnn.tf.Tensor).dataSync(),
    );
  });
});

describe("hard swish", () => {
  it("is x · min(max(x / 6 + ½, 0), 1), with its gradient", () => {
    const x = tf.tensor1d([-4, -2.5, -1, 0, 0.5, 2, 3.5]);
    const layer = lutnn.layers.hardSwish();
    const wanted = [...x.dataSync()].map((value) => value * Math.min(Math.max(value / 6 + 0.5, 0), 1));
    (layer.apply(x) as lutnn.tf.Tensor).dataSync().forEach((value, i) => {
      expect(value).toBeCloseTo(wanted[i], 6);
    });
    const slope = tf
      .grad((one) => layer.apply(one) as lutnn.tf.Tensor)(x)
      .dataSync();
    const slopes = [
      0,
      2 * (-2.5 / 6) + 0.5,
      2 * (-1 / 6) + 0.5,
      0.5,
      2 * (0.5 / 6) + 0.5,
      2 * (2 / 6) + 0.5,
      1,
    ];
    slope.forEach((value, i) => {
      expect(value).toBeCloseTo(slopes[i], 6);
    });
  });

  it.each([[[5]], [[5, 7, 4]]])("is exported as it computes on %j", async (shape) => {
    const input = tf.input({ shape });
    const wide = L.rescaling({ scale: 8 }).apply(input) as Symbolic;
    await expectSameFile(
      tf.model({ inputs: input, outputs: lutnn.layers.hardSwish().apply(wide) as Symbolic }),
    );
  });
});
