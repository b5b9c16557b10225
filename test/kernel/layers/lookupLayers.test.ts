import { type LookupLayer, LutConv1D, LutConv2D, LutDense, pq, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { assembleNetwork } from "../../../kernel/lib/layers/assemble";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { linearOperator } from "../../../kernel/lib/layers/linearOperator";
import { makeLookup } from "../../../kernel/lib/layers/makeLookup";
import { randomFloats } from "../random";

const lookup = (numCentroids: number, subvectorLength: number, tableSource: "weight" | "table") => ({
  numCentroids,
  subvectorLength,
  tableSource,
  tableBits: 8 as const,
  tableScale: "output" as const,
  distance: "l2" as const,
});

/** A one-layer network, converted, with random arrays. */
function converted(layer: tf.layers.Layer, shape: number[], config: ReturnType<typeof lookup>) {
  const input = tf.input({ shape });
  const model = tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
  const twin = makeLookup(layer, layer.name, config);
  const lookupModel = assembleNetwork(new NetworkGraph(model), () => twin);
  const { numCodebooks, numCentroids, subvectorLength } = twin.quantizerShape;
  const outputs = (layer.outputShape as number[]).slice(-1)[0];
  const [D, K] = [numCodebooks * subvectorLength, numCentroids];
  twin.setLookup({
    centroids: randomFloats(D * K, 1),
    weight: randomFloats(D * outputs, 2),
    table: randomFloats(numCodebooks * K * outputs, 3),
    bias: randomFloats(outputs, 4),
    inverseTemperatureLogit: 1,
  });
  return { model, lookupModel, twin };
}

/** Output of a lookup layer on channels-last images by plain loops over the windows. */
function convByLoops(
  x: Float32Array,
  [B, H, W, C]: number[],
  twin: LutConv1D | LutConv2D,
  relu: boolean,
): number[] {
  const exported = twin.exportLookup();
  const w = twin.window;
  const size = (
    length: number,
    before: number,
    after: number,
    filter: number,
    dilation: number,
    stride: number,
  ) => Math.floor((length + before + after - (filter - 1) * dilation - 1) / stride) + 1;
  const outHeight = size(H, w.padTop, w.padBottom, w.filterHeight, w.dilationHeight, w.strideHeight);
  const outWidth = size(W, w.padLeft, w.padRight, w.filterWidth, w.dilationWidth, w.strideWidth);
  const rows: number[] = [];
  for (let b = 0; b < B; b++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let c = 0; c < C; c++)
          for (let i = 0; i < w.filterHeight; i++)
            for (let j = 0; j < w.filterWidth; j++) {
              const y = oy * w.strideHeight + i * w.dilationHeight - w.padTop;
              const z = ox * w.strideWidth + j * w.dilationWidth - w.padLeft;
              rows.push(y < 0 || y >= H || z < 0 || z >= W ? 0 : x[((b * H + y) * W + z) * C + c]);
            }
  const positions = B * outHeight * outWidth;
  const codes = pq.encodeReference(Float32Array.from(rows), positions, exported.centroids, exported);
  const sums = pq.lookupReference(codes, positions, exported.lookupTable, exported, exported.outputs);
  return [...pq.scaleSumsReference(sums, exported.tableScale, exported.bias)].map((v) =>
    relu ? Math.max(0, v) : v,
  );
}

describe("LutConv2D", () => {
  it.each([
    { name: "3×3 same", args: { kernelSize: 3, padding: "same" as const }, V: 9, shape: [5, 7, 3] },
    {
      name: "3×3 same, stride 2, even size",
      args: { kernelSize: 3, padding: "same" as const, strides: 2 },
      V: 9,
      shape: [6, 8, 2],
    },
    {
      name: "3×3 same, stride 2, odd size",
      args: { kernelSize: 3, padding: "same" as const, strides: 2 },
      V: 9,
      shape: [5, 5, 2],
    },
    {
      name: "2×3 valid, stride 1×2, ReLU",
      args: { kernelSize: [2, 3], strides: [1, 2], padding: "valid" as const, activation: "relu" as const },
      V: 6,
      shape: [5, 7, 2],
    },
    {
      name: "3×3 valid, dilation 2",
      args: { kernelSize: 3, dilationRate: 2, padding: "valid" as const },
      V: 9,
      shape: [7, 6, 1],
    },
    { name: "1×1, four channels a codebook", args: { kernelSize: 1 }, V: 4, shape: [3, 3, 8] },
    { name: "1×1, stride 2", args: { kernelSize: 1, strides: 2 }, V: 4, shape: [5, 4, 4] },
    {
      name: "3×3, two channels a codebook, no bias",
      args: { kernelSize: 3, padding: "same" as const, useBias: false },
      V: 18,
      shape: [4, 4, 4],
    },
  ])("gives what loops over its windows give ($name)", ({ args, V, shape }) => {
    const layer = tf.layers.conv2d({ filters: 5, ...(args as { kernelSize: number }) });
    const { model, twin } = converted(layer, shape, lookup(7, V, "table"));
    const x = randomFloats(2 * shape.reduce((a, b) => a * b), 5);
    const tensor = tf.tensor(x, [2, ...shape]);
    const y = twin.apply(tensor) as tf.Tensor;
    expect(y.shape).toEqual([2, ...(model.outputs[0].shape.slice(1) as number[])]);
    expect(twin).toBeInstanceOf(LutConv2D);
    const wanted = convByLoops(x, [2, ...shape], twin as LutConv2D, "activation" in args);
    expect([...y.dataSync()]).toEqual(wanted);
  });

  it("refuses a sub-vector length that cuts a window", () => {
    const layer = tf.layers.conv2d({ filters: 2, kernelSize: 3, name: "cut" });
    expect(() => converted(layer, [5, 5, 4], lookup(4, 6, "table"))).toThrow(
      /cut: subvectorLength \(V\) must be a multiple of the filter's 9 positions \(got 6\)/,
    );
    const other = tf.layers.conv2d({ filters: 2, kernelSize: 3, name: "odd" });
    expect(() => converted(other, [5, 5, 3], lookup(4, 18, "table"))).toThrow(
      /odd: subvectorLength \(V\) must divide the input length \(got V = 18 and 27\)/,
    );
  });
});

describe("LutConv1D", () => {
  it.each([
    { name: "same", args: { kernelSize: 3, padding: "same" as const }, V: 3, shape: [7, 4] },
    {
      name: "same, stride 2, ReLU",
      args: { kernelSize: 3, padding: "same" as const, strides: 2, activation: "relu" as const },
      V: 6,
      shape: [8, 4],
    },
    { name: "valid, dilation 3", args: { kernelSize: 2, dilationRate: 3 }, V: 2, shape: [8, 3] },
    { name: "single positions, no bias", args: { kernelSize: 1, useBias: false }, V: 4, shape: [5, 8] },
  ])("gives what loops over the windows of an image of height 1 give ($name)", ({ args, V, shape }) => {
    const layer = tf.layers.conv1d({ filters: 5, ...args });
    const { model, twin } = converted(layer, shape, lookup(7, V, "table"));
    const x = randomFloats(2 * shape[0] * shape[1], 5);
    const y = twin.apply(tf.tensor(x, [2, ...shape])) as tf.Tensor;
    expect(twin).toBeInstanceOf(LutConv1D);
    expect(y.shape).toEqual([2, ...(model.outputs[0].shape.slice(1) as number[])]);
    const wanted = convByLoops(x, [2, 1, ...shape], twin as LutConv1D, "activation" in args);
    expect([...y.dataSync()]).toEqual(wanted);
  });
});

describe("LutDense", () => {
  it.each([
    { shape: [12], V: 4 },
    { shape: [3, 10], V: 5 },
  ])("looks up the last axis of its input ($shape)", ({ shape, V }) => {
    const { twin } = converted(tf.layers.dense({ units: 6 }), shape, lookup(16, V, "table"));
    expect(twin).toBeInstanceOf(LutDense);
    const rows = 2 * (shape[1] ? shape[0] : 1);
    const x = randomFloats(rows * shape[shape.length - 1], 6);
    const exported = twin.exportLookup();
    const codes = pq.encodeReference(x, rows, exported.centroids, exported);
    const sums = pq.lookupReference(codes, rows, exported.lookupTable, exported, 6);
    const y = twin.apply(tf.tensor(x, [2, ...shape])) as tf.Tensor;
    expect(y.shape).toEqual([2, ...shape.slice(0, -1), 6]);
    expect(y.dataSync()).toEqual(pq.scaleSumsReference(sums, exported.tableScale, exported.bias));
  });
});

/** A layer on inputs of a shape, for each kind that has a twin. */
const kinds: [string, () => tf.layers.Layer, number[], number][] = [
  [
    "Conv2D",
    () => tf.layers.conv2d({ filters: 5, kernelSize: 3, padding: "same", strides: 2 }),
    [6, 8, 4],
    9,
  ],
  ["Conv1D", () => tf.layers.conv1d({ filters: 5, kernelSize: 3, padding: "same" }), [7, 4], 6],
  ["Dense", () => tf.layers.dense({ units: 5 }), [12], 4],
  ["Dense on images", () => tf.layers.dense({ units: 5 }), [3, 5, 8], 4],
];

describe("a lookup twin follows the linear operator of its dense layer", () => {
  it.each(kinds)("rows are the same: %s", (_, make, shape, V) => {
    const { model, twin } = converted(make(), shape, lookup(4, V, "table"));
    const operator = linearOperator(new NetworkGraph(model).nodes[0]);
    const x = tf.tensor(randomFloats(3 * shape.reduce((a, b) => a * b), 4), [3, ...shape]);
    const rows = twin.inputRows(x);
    expect(rows.shape).toEqual([3 * operator.positions, operator.inputLength]);
    expect(rows.dataSync()).toEqual(operator.rows(x).dataSync());
  });

  it.each(kinds)(
    "a straight-through gradient is the dense layer's, a soft one its own, and shares mix: %s",
    (_, make, shape, V) => {
      const layer = make();
      const { model, twin } = converted(layer, shape, lookup(4, V, "table"));
      const operator = linearOperator(new NetworkGraph(model).nodes[0]);
      const x = tf.tensor(randomFloats(2 * shape.reduce((a, b) => a * b), 4), [2, ...shape]);
      const dy = tf.tensor(randomFloats(2 * operator.positions * 5, 6), [
        2,
        ...(model.outputs[0].shape.slice(1) as number[]),
      ]);
      const gradient = (softShare: number) => {
        twin.learning = { softShare, commitment: 0, centroidPull: 0, inputGradient: operator.inputGradient };
        return tf.grad((one) => twin.apply(one, { training: true }) as tf.Tensor)(x, dy);
      };
      const dense = tf.grad((one) => layer.apply(one) as tf.Tensor)(x, dy);
      const [straight, soft, mixed] = [0, 1, 0.25].map(gradient);
      const distance = (a: tf.Tensor, b: tf.Tensor) => tf.max(tf.abs(tf.sub(a, b))).dataSync()[0];
      expect(straight.shape).toEqual(x.shape);
      expect(distance(straight, dense)).toBeLessThan(1e-5);
      expect(distance(soft, dense)).toBeGreaterThan(1e-3);
      expect(distance(mixed, tf.add(tf.mul(soft, 0.25), tf.mul(dense, 0.75)))).toBeLessThan(1e-5);
    },
  );
});

describe("the temperature of a lookup layer", () => {
  it("reads back as it was set, and θ is the softplus' inverse", () => {
    const { twin } = converted(tf.layers.dense({ units: 3 }), [4], lookup(2, 2, "table"));
    for (const value of [1, 0.9, 0.5, 0.065, 0.03, 0.001]) {
      twin.setTemperature(value);
      expect(twin.temperature / value).toBeCloseTo(1, 5);
      const inverse =
        Math.log1p(Math.exp(-Math.abs(twin.temperatureVariable.dataSync()[0]))) +
        Math.max(twin.temperatureVariable.dataSync()[0], 0) +
        1;
      expect(inverse * value).toBeCloseTo(1, 5);
    }
    twin.setLookup({ ...twin.getLookup(), inverseTemperatureLogit: 14.3846 });
    expect(1 / twin.temperature).toBeCloseTo(15.3846, 4);
  });

  it("divides the distances of the soft assignment", () => {
    const { twin } = converted(tf.layers.dense({ units: 1, useBias: false }), [1], lookup(2, 1, "table"));
    const table = Float32Array.of(1, 3);
    twin.setLookup({ centroids: Float32Array.of(0, 1), table, bias: null, inverseTemperatureLogit: 0 });
    twin.setTemperature(0.25);
    // The gradient of Σ_k softmax(−|x − P_k| / 0.25)·T_k at x = 0.3: both distances change by ±1.
    const dx = tf
      .grad((x) => twin.apply(x) as tf.Tensor)(tf.tensor2d([[0.3]]))
      .dataSync()[0];
    const share = 1 / (1 + Math.exp((0.7 - 0.3) / 0.25)); // of the second centroid
    expect(dx).toBeCloseTo((share * (1 - share) * 2 * (3 - 1)) / 0.25, 3);
  });

  it.each([0, -1, 1.5, Number.NaN])("refuses %s", (value) => {
    const { twin } = converted(tf.layers.dense({ units: 3 }), [4], lookup(2, 2, "table"));
    expect(() => twin.setTemperature(value)).toThrow(/temperature: it must be above 0 and at most 1 \(got /);
  });
});

describe("a lookup layer", () => {
  it("makes its table from the weight when told to", () => {
    const { twin } = converted(tf.layers.dense({ units: 3, useBias: false }), [4], lookup(2, 2, "weight"));
    const { centroids, weight } = twin.getLookup();
    const { lookupTable, tableScale } = twin.exportLookup();
    for (let c = 0; c < 2; c++)
      for (let k = 0; k < 2; k++)
        for (let m = 0; m < 3; m++) {
          const at = (c * 2 + k) * 2;
          const real = centroids[at] * weight![c * 6 + m] + centroids[at + 1] * weight![c * 6 + 3 + m];
          expect(Math.abs(lookupTable[(c * 2 + k) * 3 + m] * tableScale[m] - real)).toBeLessThanOrEqual(
            0.51 * tableScale[m],
          );
        }
  });

  it("keeps the dense layer's definition in its config, so that a saved network can be made again", async () => {
    const layer = tf.layers.conv2d({
      filters: 4,
      kernelSize: 3,
      padding: "same",
      activation: "relu",
      name: "kept",
    });
    const { twin } = converted(layer, [4, 4, 2], lookup(5, 9, "table"));
    const input = tf.input({ shape: [4, 4, 2] });
    const model = tf.model({ inputs: input, outputs: twin.apply(input) as tf.SymbolicTensor });
    const again = await tf.models.modelFromJSON(model.toJSON(null, false) as never);
    const copy = again.getLayer("kept") as LookupLayer;
    expect(copy).toBeInstanceOf(LutConv2D);
    expect(copy.lookup).toEqual(twin.lookup);
    copy.setLookup(twin.getLookup());
    const x = tf.tensor(randomFloats(32, 8), [1, 4, 4, 2]);
    expect((again.predict(x) as tf.Tensor).dataSync()).toEqual((model.predict(x) as tf.Tensor).dataSync());
  });

  it("refuses arrays of another length", () => {
    const { twin } = converted(tf.layers.dense({ units: 3, name: "fc" }), [4], lookup(2, 2, "table"));
    const arrays = twin.getLookup();
    expect(() => twin.setLookup({ ...arrays, centroids: new Float32Array(3) })).toThrow(
      /fc: centroids must hold 8 numbers \(got 3\)/,
    );
    expect(() => twin.setLookup({ ...arrays, table: undefined })).toThrow(
      /fc: table must hold 12 numbers \(got none\)/,
    );
  });
});
