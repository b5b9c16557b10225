import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert, exportOnnx, InferenceSession, LookupLayer, LutnnError, openConversion, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { tinyData, tinyNetwork } from "../network";

const folder = mkdtempSync(join(tmpdir(), "lutnn-save-"));
const train = tinyData(60);

describe("a conversion's file", () => {
  it("is refused by convert already, where a kind of layer has no form in it", () => {
    const input = tf.input({ shape: [4, 3] });
    const hidden = tf.layers.dense({ units: 6, name: "hidden" }).apply(input);
    const cell = tf.layers.lstmCell({ units: 5 });
    const lstm = tf.layers.rnn({ cell, name: "memory" }).apply(hidden);
    const output = tf.layers.dense({ units: 2 }).apply(lstm) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs: output });
    expect(() => convert(model)).toThrow(/^convert: .* could not be saved: memory.*RNN/);
    expect(convert(model, { exportable: false }).layers.names).toEqual(["hidden"]);
  });

  it("must have a name that says so, and tells what it holds and how it was checked", async () => {
    const conversion = convert(tinyNetwork(), { layers: ["c2"] });
    await expect(conversion.save(join(folder, "tiny.json"))).rejects.toThrow(/must end in \.onnx/);
    const dense = await conversion.save(join(folder, "dense.onnx"));
    expect(dense.sentence).toMatch(/0 of 1 layer replaced, checked in ONNX Runtime on 4 random examples/);
    expect(dense.warnings).toEqual(["no layer is replaced, so this is the dense network"]);
    await conversion.calibrate(train, { method: "kmeans" });
    await conversion.replaceAll();
    const looked = await conversion.save(join(folder, "tiny.onnx"));
    expect(looked.sentence).toMatch(
      /bytes, 1 of 1 layer replaced, checked in ONNX Runtime on 4 examples of the data/,
    );
    expect(looked.warnings).toEqual([]);
    await conversion.restoreAll();
    expect(readdirSync(folder).sort()).toEqual(["dense.onnx", "tiny.onnx"]);
  });

  it("is not written when it would compute something else than the network", async () => {
    const conversion = convert(tinyNetwork(), { layers: ["c2"] });
    await conversion.calibrate(train, { method: "kmeans" });
    await conversion.replaceAll();
    // The layer says other tables to the exporter than it computes with.
    const layer = conversion.model.getLayer("c2");
    if (!(layer instanceof LookupLayer)) throw new TypeError("c2 is not replaced");
    const honest = layer.exportLookup.bind(layer);
    layer.exportLookup = () => {
      const lookup = honest();
      return { ...lookup, lookupTable: lookup.lookupTable.map((value) => -value) };
    };
    const path = join(folder, "wrong.onnx");
    await expect(conversion.save(path)).rejects.toThrow(/must compute what the network computes \(.*c2/);
    expect(existsSync(path)).toBe(false);
    await conversion.save(path, { check: false });
    expect(existsSync(path)).toBe(true);
    await conversion.restoreAll();
  });

  it("holds several inputs and outputs by name, and computes what the network computes", async () => {
    const a = tf.input({ shape: [6], name: "left" });
    const b = tf.input({ shape: [4], name: "right" });
    const joined = tf.layers
      .concatenate()
      .apply([
        tf.layers.dense({ units: 8, name: "fromLeft" }).apply(a) as tf.SymbolicTensor,
        tf.layers.dense({ units: 8, name: "fromRight" }).apply(b) as tf.SymbolicTensor,
      ]) as tf.SymbolicTensor;
    const hidden = tf.layers.dense({ units: 12, name: "hidden", activation: "relu" }).apply(joined);
    const outputs = ["first", "second"].map(
      (name, i) => tf.layers.dense({ units: 2 + i, name }).apply(hidden) as tf.SymbolicTensor,
    );
    const model = tf.model({ inputs: [a, b], outputs, name: "two" });
    expect(() => convert(model)).toThrow(/must have one output to tell its task/);
    const single = tf.model({ inputs: [a, b], outputs: outputs[0], name: "one" });
    const conversion = convert(single, { layers: ["hidden"], task: "classification" });
    const path = join(folder, "named.onnx");
    await conversion.save(path);
    const session = await InferenceSession.create(path);
    expect([...session.inputNames]).toEqual(["left", "right"]);
    expect([...session.outputNames]).toEqual(["output"]);
    await session.release();
  });
});

describe("convert", () => {
  it("refuses masks beside nested networks, which TensorFlow.js keeps apart and a conversion could not", () => {
    const inner = tf.input({ shape: [3, 5] });
    const masking = tf.layers.masking({ maskValue: 0, name: "gaps" }).apply(inner) as tf.SymbolicTensor;
    const nested = tf.model({ inputs: inner, outputs: masking, name: "front" });
    const input = tf.input({ shape: [3, 5] });
    const hidden = tf.layers
      .dense({ units: 4, name: "hidden" })
      .apply(nested.apply(input) as tf.SymbolicTensor);
    const flat = tf.layers.flatten().apply(hidden);
    const output = tf.layers.dense({ units: 2 }).apply(flat) as tf.SymbolicTensor;
    expect(() => convert(tf.model({ inputs: input, outputs: output }), { exportable: false })).toThrow(
      /must not have both masks and nested networks \(gaps, a Masking, makes a mask and front is nested\)/,
    );
  });

  it("stores a network whose settings TensorFlow.js forgets, and opens it equal", async () => {
    const model = tf.sequential({
      layers: [
        tf.layers.separableConv2d({ filters: 4, kernelSize: 3, depthMultiplier: 2, inputShape: [6, 6, 2] }),
        tf.layers.conv2d({ filters: 3, kernelSize: 1, name: "mix" }),
        tf.layers.flatten(),
        tf.layers.dense({ units: 3 }),
      ],
    });
    const conversion = convert(model, { layers: ["mix"] });
    const place = join(folder, "separable");
    await conversion.store(place);
    const opened = await openConversion(place);
    const given = (network: tf.LayersModel) =>
      tf.tidy(() => [...(network.predict(tf.ones([2, 6, 6, 2])) as tf.Tensor).dataSync()]);
    expect(given(opened.original)).toEqual(given(model));
  });
});

describe("any network's file", () => {
  it("is written as a conversion's is, checked on data or random examples", async () => {
    const model = tinyNetwork();
    const path = join(folder, "any.onnx");
    expect((await exportOnnx(model, path, { metadata: { licence: "MIT" } })).sentence).toMatch(
      /^saved .*any\.onnx: [\d,]+ bytes, checked in ONNX Runtime on 4 random examples$/,
    );
    expect((await exportOnnx(model, path, { examples: train })).sentence).toMatch(
      /on 4 examples of the data$/,
    );
    const conversion = convert(model, { layers: ["c2"] });
    await conversion.calibrate(train, { method: "kmeans" });
    await conversion.replaceAll();
    await exportOnnx(conversion.model, path, { functions: "inlined" });
    const [got, wanted] = [path, join(folder, "saved.onnx")];
    await conversion.save(wanted);
    const outputs = await Promise.all(
      [got, wanted].map(async (file) => {
        const session = await InferenceSession.create(file, { backend: "onnxruntime" });
        const { output } = await session.run({
          input: { data: new Float32Array(72).fill(0.3), dims: [1, 2, 6, 6] },
        });
        await session.release();
        return output.data;
      }),
    );
    expect(outputs[0]).toEqual(outputs[1]);
    await conversion.restoreAll();
  });

  it("is one sentence where it cannot be: no network, another name, a kind without a form", async () => {
    await expect(exportOnnx("x.onnx" as never, "y.onnx")).rejects.toThrow(/^exportOnnx: the network must be/);
    await expect(exportOnnx(tinyNetwork(), join(folder, "x.json"))).rejects.toThrow(/must end in \.onnx/);
    await expect(
      exportOnnx(tinyNetwork(), join(folder, "x.onnx"), { functions: "none" as never }),
    ).rejects.toThrow('save: functions must be "local" or "inlined" (got "none"); leave it out for "local"');
  });

  it("is not written over another file where that is to stay", async () => {
    const path = join(folder, "kept.onnx");
    await exportOnnx(tinyNetwork(), path, { overwrite: false });
    const before = readFileSync(path);
    await expect(exportOnnx(tinyNetwork(9), path, { overwrite: false })).rejects.toThrow(
      `save: ${path} must not be there yet, as it is not to be overwritten (it is there)`,
    );
    expect(readFileSync(path)).toEqual(before);
    await expect(exportOnnx(tinyNetwork(9), path, { overwrite: "no" as never })).rejects.toThrow(
      /overwrite must be true or false/,
    );
    await exportOnnx(tinyNetwork(9), path);
    expect(readFileSync(path)).not.toEqual(before);
  });
});

describe("a place that cannot be written", () => {
  it("is one sentence, for a file and for stored work", async () => {
    const conversion = convert(tinyNetwork(), { layers: ["c2"] });
    const inTheWay = join(folder, "file");
    writeFileSync(inTheWay, "");
    mkdirSync(join(folder, "folder.onnx"), { recursive: true });
    for (const attempt of [
      () => conversion.save(join(inTheWay, "below.onnx")),
      () => conversion.save(join(folder, "folder.onnx")),
      () => conversion.store(inTheWay),
      () => conversion.store(join(inTheWay, "below")),
    ])
      await expect(attempt()).rejects.toThrow(LutnnError);
    await expect(conversion.save(join(folder, "folder.onnx"))).rejects.toThrow(
      /^save: the path must name a file, but/,
    );
    await expect(conversion.store(inTheWay)).rejects.toThrow(/store: every folder on the way must be one/);
  });
});
