import { type LookupLayer, LutConv2D, LutDense, pq, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { assembleNetwork } from "../../../kernel/lib/layers/assemble";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
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
function convByLoops(x: Float32Array, [B, H, W, C]: number[], twin: LutConv2D, relu: boolean): number[] {
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
