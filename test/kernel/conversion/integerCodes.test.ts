import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert, InferenceSession, LookupLayer, openConversion, plan, pq, profiles, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { tableFromWeight } from "../../../kernel/lib/compute/softPq";
import { valuesOf } from "../../../kernel/lib/compute/valuesOf";
import { fitLookup } from "../../../kernel/lib/conversion/fitLookup";
import { timeLayers } from "../../../kernel/lib/inference/timeLayers";
import { verifyNative } from "../../../kernel/lib/inference/verifyNative";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { tinyData, tinyNetwork } from "../network";
import { randomFloats } from "../random";

const folder = mkdtempSync(join(tmpdir(), "lutnn-integers-"));
const [train, test] = [tinyData(60), tinyData(30, 1)];
const profile = { ...profiles.plus, codes: "int8" as const };
const floats = { ...profiles.plus, codes: "float32" as const };
const layers = ["c2", "c3", "c4", "hidden"];

const lookupOf = (model: tf.LayersModel, name: string): LookupLayer => {
  const layer = model.getLayer(name);
  if (!(layer instanceof LookupLayer)) throw new TypeError(`${name} is not replaced`);
  return layer;
};

const outputsOf = (model: tf.LayersModel): number[] => {
  const images = tf.tensor4d(randomImages(), [5, 6, 6, 2]);
  const y = model.predict(images) as tf.Tensor;
  const values = [...y.dataSync()];
  tf.dispose([images, y]);
  return values;
};
const manifestOf = (path: string) => JSON.parse(readFileSync(join(path, "conversion.json"), "utf8"));
const randomImages = () => Float32Array.from({ length: 5 * 72 }, (_, i) => Math.sin(7 * i));

describe("a conversion with codes in integers", () => {
  it.each(["kmeans", "leastSquares", "randomRows"] as const)(
    "learns scales by %s, all 8 bits behind a ReLU, and what it learns comes back with store, undo and openConversion",
    async (method) => {
      const conversion = convert(tinyNetwork(), { layers, profile });
      await conversion.calibrate(train, { method });
      await conversion.replaceAll({ method });
      const inputs = layers.map((name) => lookupOf(conversion.model, name).exportLookup().integers!.input);
      // Before c2 stands a ReLU, before c3 a sum with what a batch norm gives, before c4 a fused ReLU, before hidden c4.
      expect(inputs.map(({ zeroPoint }) => zeroPoint)).toEqual([0, 128, 0, 128]);
      expect(inputs.every(({ scale }) => scale > 0 && scale < 1)).toBe(true);
      const before = outputsOf(conversion.model);
      expect(conversion.layers.rows.map(({ codes }) => codes)).toEqual(layers.map(() => "int8"));
      expect(String(conversion.layers)).toMatch(/layer +op +state +codes/);
      const path = join(folder, method);
      await conversion.store(path);
      const opened = await openConversion(path);
      expect(manifestOf(path)).toMatchObject({ version: 2, profile: { codes: "int8" } });
      expect(outputsOf(opened.model)).toEqual(before);
      await opened.restore("c3");
      await opened.undo();
      expect(outputsOf(opened.model)).toEqual(before);
      const { rows } = opened.compare(0, opened.states.length - 1);
      expect(rows.every(({ change }) => change === null || change >= 0)).toBe(true);
      await opened.restoreAll();
      await conversion.restoreAll();
    },
  );

  it.each([true, false])(
    "fits tables on the codes that the layer has (inputs that may be negative: %s)",
    async (signed) => {
      const [rows, outputs] = [2000, 3];
      const shape = { numCodebooks: 4, numCentroids: 8, subvectorLength: 5 };
      const x = randomFloats(rows * 20, 1).map((value) => (signed ? value : Math.abs(value)));
      const [wanted, weight] = [randomFloats(rows * outputs, 2), randomFloats(20 * outputs, 3)];
      const settings = { seed: 0, ridge: 0.1, refineSteps: 0, signal: new AbortController().signal };
      const { distance, tableScale, tableBits } = profile;
      const fitted = await fitLookup(
        {
          shape,
          outputs,
          rows,
          wanted,
          weight,
          nonNegative: !signed,
          inputs: (indices) =>
            Float32Array.from([...indices].flatMap((n) => [...x.subarray(20 * n, 20 * n + 20)])),
        },
        { ...settings, distance, tableScale, tableBits, codes: "int8" },
      );
      expect(fitted.input).toEqual(pq.chooseInputQuantization(x, !signed));
      const codes = new pq.IntegerQuantizer(shape, fitted.centroids, fitted.input!).encode(x);
      expect(codes).not.toEqual(new pq.ProductQuantizer(shape, fitted.centroids).encode(x));
      const start = valuesOf(() =>
        tableFromWeight(tf.tensor3d(fitted.centroids, [4, 8, 5]), tf.tensor2d(weight, [20, outputs])),
      );
      expect(fitted.table).toEqual(await pq.fitTable(codes, wanted, start, shape, { lambda: 0.1 }));
    },
  );

  it("trains with the codes that it exports, keeps its scales, and gets better", async () => {
    const conversion = convert(tinyNetwork(), { layers, profile });
    await conversion.calibrate(train, { method: "kmeans" });
    await conversion.replaceAll({ method: "kmeans" });
    const scales = () => layers.map((name) => lookupOf(conversion.model, name).getLookup().input);
    const centroids = () => lookupOf(conversion.model, "c2").getLookup().centroids;
    const [before, first, loss] = [scales(), centroids(), (await conversion.evaluate(test)).loss];
    const tensors = tf.memory().numTensors;
    await conversion.fineTune(train, { epochs: 6 });
    expect(tf.memory().numTensors).toBe(tensors);
    expect(scales()).toEqual(before);
    expect(centroids()).not.toEqual(first);
    expect((await conversion.evaluate(test)).loss).toBeLessThan(loss);
    const path = join(folder, "trained.onnx");
    const saved = await conversion.save(path);
    expect(saved.sentence).not.toMatch(/near tie/);
    for (const name of layers) {
      const layer = lookupOf(conversion.model, name);
      const lookup = layer.exportLookup();
      const [, ...lengths] = Array.isArray(layer.input) ? [] : layer.input.shape;
      const size = lengths.reduce<number>((a, b) => a * b!, 3);
      const x = tf.tensor(
        Float32Array.from({ length: size }, (_, i) => Math.sin(3 * i)),
        [3, ...(lengths as number[])],
      );
      const rows = valuesOf(() => layer.inputRows(x));
      const count = rows.length / (lookup.numCodebooks * lookup.subvectorLength);
      const codes = pq.encodeIntegersReference(rows, count, lookup.integers!, lookup);
      const sums = pq.lookupReference(codes, count, lookup.lookupTable, lookup, lookup.outputs);
      const y = pq.scaleSumsReference(sums, lookup.tableScale, lookup.bias);
      const isRelu = layer.getConfig().activation === "relu";
      for (const training of [false, true]) {
        const made = valuesOf(() => layer.apply(x, { training }) as tf.Tensor);
        expect([...made]).toEqual([...y].map((value) => (isRelu ? Math.max(0, value) : value)));
      }
      x.dispose();
    }
    const operators = readModel(readFileSync(path), "test").graph!.node.filter(({ domain }) => domain !== "");
    expect(
      operators.map(({ opType }) => opType.replace(/(OfBytes)?(Add)?(Relu)?(ToBytes|WithBytes)?$/, "")),
    ).toEqual([...Array(3).fill("LutConvInteger"), "LutMatMulInteger"]);
    const session = await InferenceSession.create(path);
    await session.release();
    await conversion.restoreAll();
  });

  it("is verified natively, and its layers are timed", async () => {
    const dense = tinyNetwork();
    const conversion = convert(dense, { layers, profile });
    await conversion.calibrate(train);
    await conversion.replaceAll();
    const verified = await verifyNative(conversion.model, test, { examples: 4 });
    expect(verified.ok, String(verified.toTable())).toBe(true);
    for (const row of verified.rows) expect(row).toMatchObject({ codesDifferent: 0, rowsDifferent: 0 });
    const timed = await timeLayers(dense, conversion.model, test, { rounds: 3 });
    expect(timed.rows.map(({ layer, codes }) => [layer, codes])).toEqual(
      layers.map((name) => [name, "int8"]),
    );
    expect(timed.figure().chart.notes?.[0]).toMatch(/codes in int8/);
    await conversion.restoreAll();
  });

  it("names the layers that need more bytes than before by its own bytes, centroids being smaller", () => {
    const remarks = (codes: "float32" | "int8") =>
      convert(tinyNetwork(), { layers: ["c2"], numCentroids: 7, profile: { ...profile, codes } }).layers
        .remarks;
    // D = 72, M = 8: 2,304 bytes dense; 4·7·72 + 8·7·8 = 2,464 with float32 centroids, 7·(72 + 32) + 448 = 1,176 with int8.
    expect(remarks("float32").join()).toMatch(/of more bytes as a lookup: c2/);
    expect(remarks("int8").join()).not.toMatch(/of more bytes/);
  });

  it("is planned with its own codes and bytes", async () => {
    const model = tinyNetwork();
    const options = { data: train, validation: test, layers: ["c2"], budget: { accuracyDrop: 50 } };
    const made = async (codes: "int8" | "float32") =>
      (await plan(model, { ...options, profile: { ...profiles.plus, codes } })).layers[0].options;
    const [integers, floats] = [await made("int8"), await made("float32")];
    expect(integers.map(({ cost }) => cost.bytes)).not.toEqual(floats.map(({ cost }) => cost.bytes));
    expect(integers[0].cost.bytes).toBeLessThan(floats[0].cost.bytes);
  });

  it("is refused where sub-vectors are too long, and by a profile with other codes", () => {
    const input = tf.input({ shape: [514] });
    const hidden = tf.layers.dense({ units: 4, name: "wide" }).apply(input);
    const model = tf.model({
      inputs: input,
      outputs: tf.layers.dense({ units: 2 }).apply(hidden) as tf.SymbolicTensor,
    });
    expect(() => convert(model, { layers: ["wide"], subvectorLength: 257, profile })).toThrow(
      /convert: wide: subvectorLength \(V\) must be at most 256 for codes in int8 \(got 257\)/,
    );
    convert(model, { layers: ["wide"], subvectorLength: 257, profile: floats });
    const wrong = { ...profiles.plus, codes: "int4" as unknown as "int8" };
    expect(() => convert(tinyNetwork(), { profile: wrong })).toThrow(
      /convert: codes of a profile must be "float32" or "int8" \(got "int4"\)/,
    );
  });

  it("opens what was stored before codes had a kind, and refuses a damaged scale", async () => {
    const conversion = convert(tinyNetwork(), { layers: ["c2"], profile: floats });
    await conversion.calibrate(train, { method: "kmeans" });
    await conversion.replaceAll();
    const wanted = outputsOf(conversion.model);
    const path = join(folder, "older");
    await conversion.store(path);
    const file = join(path, "conversion.json");
    const manifest = manifestOf(path);
    expect(manifest).toMatchObject({ version: 1, profile: { codes: "float32" } });
    delete manifest.profile.codes;
    writeFileSync(file, JSON.stringify(manifest));
    const opened = await openConversion(path);
    expect(outputsOf(opened.model)).toEqual(wanted);
    await opened.restoreAll();
    manifest.profile.codes = "int8";
    writeFileSync(file, JSON.stringify(manifest));
    const damaged = await openConversion(path);
    expect(() => damaged.model).toThrow(
      /c2: a layer with codes in int8 must get the scale and zero point of its input/,
    );
    await conversion.restoreAll();
  });
});
