import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Conversion, convert, LookupLayer, openConversion, layers as own, profiles, tf } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { ArrayExamples } from "../../../kernel/lib/datasets/arrayExamples";
import { runFile } from "../../../kernel/lib/inference/fileValues";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { randomFloats } from "../random";

const folder = mkdtempSync(join(tmpdir(), "lutnn-shared-"));
afterAll(() => rmSync(folder, { recursive: true }));
const L = tf.layers;
type Tensor = tf.SymbolicTensor;
const shared = (codes: "float32" | "int8") => ({ ...profiles.plus, codes, sharedCodebooks: true });

/** An attention on (5, 8), whose query, key and value read one value, and two convolutions of one window on another. */
function network(): tf.LayersModel {
  const init = (seed: number) => tf.initializers.glorotUniform({ seed });
  const words = tf.input({ shape: [5, 8], name: "words" });
  const dense = (name: string, seed: number) => L.dense({ units: 8, kernelInitializer: init(seed), name });
  const [query, key, value] = ["query", "key", "value"].map(
    (name, i) => dense(name, i + 1).apply(words) as Tensor,
  );
  const seen = own.attention({ numHeads: 2 }).apply([query, key, value]) as Tensor;
  const sum = L.add().apply([seen, words]) as Tensor;
  const image = L.reshape({ targetShape: [5, 8, 1] }).apply(sum) as Tensor;
  const conv = (name: string, seed: number) =>
    L.conv2d({ filters: 4, kernelSize: 3, padding: "same", kernelInitializer: init(seed), name });
  const wide = L.conv2d({ filters: 3, kernelSize: 1, kernelInitializer: init(9), name: "wide" }).apply(
    image,
  ) as Tensor;
  const joined = L.add().apply([
    conv("left", 4).apply(wide) as Tensor,
    conv("right", 5).apply(wide) as Tensor,
  ]);
  const flat = L.flatten().apply(L.reLU().apply(joined)) as Tensor;
  return tf.model({
    inputs: words,
    outputs: L.dense({ units: 3, kernelInitializer: init(6) }).apply(flat) as Tensor,
  });
}

const size = 96;
const classes = Int32Array.from({ length: size }, (_, n) => n % 3);
const data = new ArrayExamples({
  name: "words",
  inputs: {
    words: {
      shape: [5, 8],
      values: randomFloats(size * 40, 1).map((x, i) => x + classes[Math.floor(i / 40)] * 0.7),
    },
  },
  target: { kind: "class", classes: 3 },
  targets: classes,
});
const names = ["query", "key", "value", "left", "right"];
const training = { epochs: 2, batchSize: 16, learningRate: 1e-3 };

const centroidsOf = (conversion: Conversion, name: string) => {
  const layer = conversion.model.getLayer(name);
  if (!(layer instanceof LookupLayer)) throw new TypeError(`${name} is not replaced`);
  return [...layer.getLookup().centroids];
};
const outputsOf = (model: tf.LayersModel) =>
  tf.tidy(() => [...(model.predict(tf.tensor(randomFloats(80, 2), [2, 5, 8])) as tf.Tensor).dataSync()]);

/** Names of the constants that each lookup of a file reads, and each node that makes codes for several. */
function constantsOf(bytes: Uint8Array): Map<string, string[]> {
  const { graph } = readModel(bytes, "test");
  const isLookup = ({ domain, opType }: { domain: string; opType: string }) =>
    domain === "ai.lutnn" && opType.startsWith("Lut");
  const lookups = graph!.node.filter(isLookup);
  expect(new Set(graph!.initializer.map(({ name }) => name)).size).toBe(graph!.initializer.length);
  return new Map(lookups.map(({ name, input }) => [name.replace(/\/(?!codes).*/, ""), input.slice(1)]));
}

describe.each(["float32", "int8"] as const)("layers that share a codebook, codes in %s", (codes) => {
  it("learn it once, train it as one variable, and have it once in the file", async () => {
    const conversion = convert(network(), { layers: names, profile: shared(codes) });
    expect(String(conversion.layers)).toContain(
      "one codebook for query, key and value; one codebook for left and right",
    );
    await conversion.calibrate(data);
    await conversion.replaceAll();
    const before = centroidsOf(conversion, "query");
    const inOptimizer = conversion.model.getLayer("key") as LookupLayer;
    expect(inOptimizer.codebookOwner.name).toBe("query");
    await conversion.fineTune(data, training);
    expect(centroidsOf(conversion, "query")).not.toEqual(before);
    for (const name of ["key", "value"])
      expect(centroidsOf(conversion, name)).toEqual(centroidsOf(conversion, "query"));
    expect(centroidsOf(conversion, "right")).toEqual(centroidsOf(conversion, "left"));
    expect(centroidsOf(conversion, "left")).not.toEqual(centroidsOf(conversion, "query"));

    const path = join(folder, `${codes}.onnx`);
    await conversion.save(path);
    const constants = constantsOf(readFileSync(path));
    const quantizers =
      codes === "int8" ? ["inputScale", "inputZeroPoint", "centroids", "halfNorms"] : ["centroids"];
    const quantizerOf = (owner: string) => quantizers.map((one) => `${owner}/${one}`);
    for (const name of ["left", "right"])
      expect(constants.get(name)!.slice(0, quantizers.length + 1), name).toEqual([
        ...quantizerOf("left"),
        `${name}/table`,
      ]);
    // Query, key and value, products of matrices, read the codes that one node makes.
    expect(constants.get("query/codes")).toEqual(quantizerOf("query"));
    for (const name of ["query", "key", "value"]) expect(constants.get(name)![0], name).toBe(`${name}/table`);
    const x = tf.tensor(randomFloats(80, 2), [2, 5, 8]);
    const [y] = await runFile(readFileSync(path), [x]);
    const wanted = outputsOf(conversion.model);
    const worst = [...y.dataSync()].reduce(
      (most, value, i) => Math.max(most, Math.abs(value - wanted[i])),
      0,
    );
    expect(worst).toBeLessThan(1e-4);

    await conversion.store(join(folder, codes));
    const opened = await openConversion(join(folder, codes));
    expect(outputsOf(opened.model)).toEqual(wanted);
    expect((opened.model.getLayer("value") as LookupLayer).codebookOwner.name).toBe("query");
    expect(JSON.parse(readFileSync(join(folder, codes, "conversion.json"), "utf8")).version).toBe(3);
    for (const one of [conversion, opened]) await one.restoreAll();
  });

  it("go on when the one that they share it with is restored, and take it over when they come later", async () => {
    const conversion = convert(network(), { layers: names, profile: shared(codes) });
    await conversion.calibrate(data);
    await conversion.replaceAll();
    await conversion.fineTune(data, training);
    const [key, whole] = [centroidsOf(conversion, "key"), outputsOf(conversion.model)];
    await conversion.restore("query");
    expect(centroidsOf(conversion, "key")).toEqual(key);
    expect((conversion.model.getLayer("value") as LookupLayer).codebookOwner.name).toBe("key");
    expect((conversion.model.getLayer("key") as LookupLayer).codebookOwner.name).toBe("key");
    await conversion.undo();
    expect(outputsOf(conversion.model)).toEqual(whole);
    await conversion.restore("query");
    await conversion.fineTune(data, { ...training, epochs: 1 });
    // What query had learnt is no longer what the others hold.
    await conversion.replace("query");
    expect((conversion.model.getLayer("key") as LookupLayer).codebookOwner.name).toBe("key");
    expect(String(conversion.layers)).toContain(
      "2 codebooks for query, key and value, learnt or trained apart: calibrate them anew to share one",
    );
    await conversion.restore("query");
    await conversion.calibrate(data, { layers: ["query"] });
    await conversion.replace("query");
    expect(centroidsOf(conversion, "query")).toEqual(centroidsOf(conversion, "key"));
    expect((conversion.model.getLayer("key") as LookupLayer).codebookOwner.name).toBe("query");
    await conversion.restoreAll();
  });
});

describe("a profile without shared codebooks", () => {
  it("lets each layer train its own, from the same beginning", async () => {
    const conversion = convert(network(), { layers: names, profile: { ...profiles.plus, codes: "float32" } });
    await conversion.calibrate(data);
    await conversion.replaceAll();
    expect(centroidsOf(conversion, "key")).toEqual(centroidsOf(conversion, "query"));
    await conversion.fineTune(data, training);
    expect(centroidsOf(conversion, "key")).not.toEqual(centroidsOf(conversion, "query"));
    const path = join(folder, "apart.onnx");
    await conversion.save(path);
    expect(constantsOf(readFileSync(path)).get("key")![0]).toBe("key/centroids");
    expect(String(conversion.layers)).not.toContain("one codebook");
    await conversion.restoreAll();
  });
});

describe("a profile with them", () => {
  it("is refused, or says so, where there is nothing to share or it would not stay shared", async () => {
    const profile = shared("int8");
    const refined = { ...profile, calibrate: { ...profile.calibrate, refineSteps: 3 } };
    expect(() => convert(network(), { layers: names, profile: refined })).toThrow(
      /^convert: refineSteps of a profile whose layers share codebooks must be 0, .* \(got 3\); fineTune trains them together$/,
    );
    expect(() =>
      convert(network(), { layers: names, profile: { ...profile, sharedCodebooks: 1 as never } }),
    ).toThrow(/sharedCodebooks of a profile must be true or false \(got 1\)/);
    const alone = convert(network(), { layers: ["query", "left"], profile });
    expect(String(alone.layers)).toContain("no two layers read the same rows, so none shares a codebook");
    // Another V is another cut: no rows in common.
    const other = convert(network(), {
      layers: ["query", "key"],
      profile,
      subvectorLength: { query: 4, key: 2 },
    });
    expect(String(other.layers)).toContain("none shares a codebook");
  });

  it("has the same codebook by every method that trains", async () => {
    for (const method of ["kmeans", "randomRows", "leastSquares"] as const) {
      const conversion = convert(network(), { layers: names, profile: shared("int8") });
      await conversion.calibrate(data, { method });
      await conversion.replaceAll();
      expect((conversion.model.getLayer("value") as LookupLayer).codebookOwner.name, method).toBe("query");
      expect((conversion.model.getLayer("right") as LookupLayer).codebookOwner.name, method).toBe("left");
      await conversion.restoreAll();
    }
  });
});
