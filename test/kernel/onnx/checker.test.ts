import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { kinds } from "../../../kernel/lib/layers/kinds/index";
import { expectSameFile, randomWeights } from "./sameOutputs";
import { withLookups } from "./withLookups";

const { tf } = lutnn;
const L = tf.layers;
type Symbolic = lutnn.tf.SymbolicTensor;
const python = join(import.meta.dirname, "../../../.venv/bin/python");
const folder = mkdtempSync(join(tmpdir(), "lutnn-checker-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Every kind that TensorFlow.js and this library offer, in one network of four inputs; masks and Softmax exclude each other. */
function everyKind(but: "Masking" | "Softmax"): lutnn.tf.LayersModel {
  const image = tf.input({ shape: [6, 8, 4], name: "image" });
  const sequence = tf.input({ shape: [7, 4], name: "sequence" });
  const tokens = tf.input({ shape: [5], dtype: "int32", name: "tokens" });
  const mask = tf.input({ shape: [5], name: "mask" });
  const on = (x: Symbolic, ...layers: lutnn.tf.layers.Layer[]) =>
    layers.reduce((y, layer) => layer.apply(y) as Symbolic, x);
  const merged = (layer: lutnn.tf.layers.Layer, ...inputs: Symbolic[]) => layer.apply(inputs) as Symbolic;
  const small = on(
    image,
    L.rescaling({ scale: 0.5 }),
    L.conv2d({ filters: 3, kernelSize: 3, padding: "same" }),
    L.batchNormalization(),
    L.reLU({ maxValue: 6 }),
    L.depthwiseConv2d({ kernelSize: 3, padding: "same" }),
    L.leakyReLU(),
    L.separableConv2d({ filters: 4, kernelSize: 2, padding: "same" }),
    L.prelu({ sharedAxes: [1, 2] }),
    L.zeroPadding2d({ padding: 1 }),
    L.maxPooling2d({ poolSize: 2 }),
    L.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: "same" }),
    L.elu(),
    L.cropping2D({ cropping: 1 }),
    L.averagePooling2d({ poolSize: 2 }),
    L.upSampling2d({ size: [2, 2] }),
    lutnn.layers.hardSwish(),
  );
  const excited = merged(L.multiply(), small, on(small, L.globalAveragePooling2d({}), L.dense({ units: 4 })));
  const seen = on(merged(L.average(), excited, image), L.permute({ dims: [3, 1, 2] }), L.flatten());
  const heard = on(
    sequence,
    but === "Softmax" ? L.masking() : L.reLU(),
    L.conv1d({ filters: 4, kernelSize: 3, padding: "same" }),
    L.spatialDropout1d({ rate: 0.5 }),
    L.gaussianNoise({ stddev: 1 }),
    L.gaussianDropout({ rate: 0.5 }),
    L.alphaDropout({ rate: 0.5 }),
  );
  const both = merged(
    L.maximum(),
    on(heard, L.maxPooling1d({ poolSize: 2 })),
    on(merged(L.minimum(), heard, on(sequence, L.thresholdedReLU())), L.averagePooling1d({ poolSize: 2 })),
  );
  const word = on(
    tokens,
    L.embedding({ inputDim: 9, outputDim: 4 }),
    new lutnn.layers.PositionEmbedding({ positions: 6 }),
  );
  // TensorFlow.js disposes of a value too early that a layer reads twice.
  const [query, key, value] = [1, 2, 3].map(() => on(word, L.dense({ units: 4 })));
  const read = lutnn.layers.attention({ numHeads: 2 }).apply([query, key, value, mask]) as Symbolic;
  const normal = on(merged(L.add(), read, word), L.layerNormalization());
  const scores = on(merged(L.dot({ axes: 2 }), normal, both), L.reshape({ targetShape: [15] }));
  const own = lutnn.layers;
  const changed = on(
    heard,
    new own.Padding({
      paddings: [
        [1, 0],
        [0, 2],
      ],
      value: 0.5,
    }),
    new own.Slice({ axis: 1, start: 6, length: 3, step: -2 }),
    new own.Elementwise({ operation: "clip", minimum: -0.5, maximum: 2 }),
    new own.Affine({ weightShape: [3, 1] }),
  );
  const wide = on(
    changed,
    new own.Reduce({ reduction: "mean", axes: [1], keepDims: true }),
    new own.Expand({ lengths: [3, 6] }),
  );
  const squares = merged(new own.MatMul(), on(wide, L.permute({ dims: [2, 1] })), changed);
  // Masks and recurrent layers exclude each other too.
  const recurrent = [L.lstm({ units: 2 }), L.gru({ units: 2 }), L.simpleRNN({ units: 2 })];
  const remembered = but === "Masking" ? recurrent.map((layer) => on(sequence, layer)) : [];
  const parts = [
    seen,
    merged(new own.MaskedMean(), normal, mask),
    ...remembered,
    on(squares, L.flatten()),
    on(heard, L.globalAveragePooling1d({})),
    on(heard, L.globalMaxPooling1d()),
    on(small, L.globalMaxPooling2d({})),
    on(
      scores,
      L.repeatVector({ n: 2 }),
      L.flatten(),
      L.dropout({ rate: 0.5 }),
      new own.SeededDropout({ rate: 0.5 }),
    ),
  ];
  const joined = on(
    merged(L.concatenate(), ...parts),
    L.dense({ units: 6 }),
    L.activation({ activation: "tanh" }),
  );
  const outputs = [but === "Masking" ? on(joined, L.softmax({ axis: -1 })) : joined, small];
  return randomWeights(tf.model({ inputs: [image, sequence, tokens, mask], outputs: outputs as Symbolic[] }));
}

const script = `
import sys, json, onnx, onnxruntime as ort
path = sys.argv[1]
model = onnx.load(path)
onnx.checker.check_model(model, full_check=True)
inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
ort.InferenceSession(path, providers=["CPUExecutionProvider"])
shape = lambda value: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
print(json.dumps({
    "opsets": {o.domain: o.version for o in model.opset_import},
    "producer": [model.producer_name, model.producer_version],
    "inputs": {i.name: [i.type.tensor_type.elem_type, shape(i)] for i in model.graph.input},
    "outputs": {o.name: shape(o) for o in inferred.graph.output},
}))`;

describe("a file of every kind of layer", () => {
  it("leaves no kind out", () => {
    const layers = [...everyKind("Masking").layers, ...everyKind("Softmax").layers];
    const used = new Set(layers.map((layer) => layer.getClassName()));
    const classes = kinds.flatMap(({ classNames }) => classNames);
    expect(classes.filter((name) => !used.has(name) && !name.startsWith("Lut"))).toEqual([]);
  });

  it.each(["Masking", "Softmax"] as const)(
    "passes onnx's full checker and strict shape inference, and computes the same: all but %s",
    async (but) => {
      const model = everyKind(but);
      const outputNames = ["classes", "features"];
      writeFileSync(join(folder, "every.onnx"), await expectSameFile(model, undefined, { outputNames }));
      const result = JSON.parse(
        execFileSync(python, ["-c", script, join(folder, "every.onnx")], { encoding: "utf8" }),
      );
      expect(result).toEqual({
        opsets: { "": 17 },
        producer: ["lutnn", expect.stringMatching(/^\d+\.\d+\.\d+/)],
        inputs: {
          image: [1, ["N", 4, 6, 8]],
          sequence: [1, ["N", 7, 4]],
          tokens: [6, ["N", 5]],
          mask: [1, ["N", 5]],
        },
        outputs: { classes: ["N", 6], features: ["N", 4, 6, 8] },
      });
    },
  );

  it("passes them with lookups whose codes are in float32 and in integers", async () => {
    const input = tf.input({ shape: [6, 8, 4], name: "image" });
    const layers = [
      L.conv2d({ filters: 6, kernelSize: 3, padding: "same", activation: "relu", name: "conv" }),
      L.dense({ units: 5, name: "each" }),
    ];
    const outputs = layers.reduce((x, layer) => layer.apply(x) as Symbolic, input);
    const model = tf.model({ inputs: input, outputs });
    const path = join(folder, "lookups.onnx");
    for (const codes of [undefined, { scale: 0.0625, zeroPoint: 128 }]) {
      writeFileSync(path, await expectSameFile(withLookups(model, { conv: 9, each: 3 }, codes)));
      const result = JSON.parse(execFileSync(python, ["-c", script, path], { encoding: "utf8" }));
      expect(result).toMatchObject({
        opsets: { "": 17, "ai.lutnn": 1 },
        outputs: { output: ["N", 5, 6, 8] },
      });
    }
  });

  it("passes them with every value revealed", () => {
    const path = join(folder, "revealed.onnx");
    writeFileSync(path, exportOnnx(everyKind("Masking"), { reveal: "all" }));
    const result = JSON.parse(execFileSync(python, ["-c", script, path], { encoding: "utf8" }));
    expect(Object.keys(result.outputs).length).toBeGreaterThan(50);
  });
});
