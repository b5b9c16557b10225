import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert, evaluate, fileInfo, InferenceSession, LookupLayer, openConversion, tf } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { runFile } from "../../../kernel/lib/inference/fileValues";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { tinyData, tinyNetwork } from "../network";

const folder = mkdtempSync(join(tmpdir(), "lutnn-reopened-é "));
afterAll(() => rmSync(folder, { recursive: true }));
const data = tinyData(120);
const layers = ["c2", "c3", "hidden"];

const outputsOf = (model: tf.LayersModel) =>
  tf.tidy(() => [...(model.predict(tf.fill([2, 6, 6, 2], 0.3)) as tf.Tensor).dataSync()]);

/** A conversion of three layers, two of them replaced, trained for an epoch. */
async function trained() {
  const conversion = convert(tinyNetwork(), { layers });
  await conversion.calibrate(data);
  await conversion.replace("c2");
  await conversion.replace("hidden");
  await conversion.fineTune(data, { epochs: 1, batchSize: 30, learningRate: 1e-3 });
  return conversion;
}

describe("a saved file opens again", () => {
  it("as the conversion that it was: it trains on, replaces and restores, and is saved anew", async () => {
    const before = await trained();
    const path = join(folder, "again.onnx");
    const said = await before.save(path, { reopen: true });
    expect(said.sentence).toMatch(/, the work in .*again\.onnx\.work: \d+ states, \d+ arrays, [\d,]+ bytes$/);
    expect(readdirSync(folder).sort()).toEqual(["again.onnx", "again.onnx.work"]);
    await before.restoreAll(); // later than the file

    const again = await openConversion(path);
    expect([...again.layers].map(({ state }) => state)).toEqual(["replaced", "calibrated", "replaced"]);
    await before.undo();
    expect(outputsOf(again.model)).toEqual(outputsOf(before.model));
    const first = await evaluate(again.model, data);
    await again.fineTune(data, { epochs: 3, batchSize: 30, learningRate: 3e-3 });
    expect((await evaluate(again.model, data)).loss).toBeLessThan(first.loss);
    await again.replace("c3");
    await again.restore("c2");
    expect(again.model.getLayer("c3")).toBeInstanceOf(LookupLayer);
    expect(again.model.getLayer("c2")).not.toBeInstanceOf(LookupLayer);
    await again.save(path, { reopen: true });
    const x = tf.fill([2, 6, 6, 2], 0.3);
    const [wanted] = await runFile(exportOnnx(again.model), [x]);
    const [got] = await runFile(readFileSync(path), [x]);
    expect([...got.dataSync()]).toEqual([...wanted.dataSync()]);
    const third = await openConversion(path);
    expect(outputsOf(third.model)).toEqual(outputsOf(again.model));
    await third.restoreAll();
    expect(outputsOf(third.model)).toEqual(outputsOf(tinyNetwork()));
    for (const one of [before, again]) await one.restoreAll();
  });

  it("at the state that it was saved from, which need not be the last", async () => {
    const conversion = convert(tinyNetwork(), { layers });
    await conversion.calibrate(data, { method: "kmeans" });
    const work = join(folder, "work");
    const paths = [];
    for (const layer of ["c2", "c3"]) {
      await conversion.replace(layer);
      paths.push(join(folder, `${layer}.onnx`));
      await conversion.save(paths[paths.length - 1]);
    }
    await conversion.store(work);
    const opened = await openConversion(paths[0], { work });
    expect([...opened.layers].filter(({ state }) => state === "replaced").map(({ name }) => name)).toEqual([
      "c2",
    ]);
    expect(opened.states.length).toBe(conversion.states.length);
    const bytes = await openConversion(readFileSync(paths[1]), { work });
    expect(outputsOf(bytes.model)).toEqual(outputsOf(conversion.model));
    for (const one of [conversion, opened, bytes]) await one.restoreAll();
  });

  it("or says in a sentence, before anything else, what is missing to go on with it", async () => {
    const conversion = await trained();
    const plain = join(folder, "plain.onnx");
    await conversion.save(plain);
    await expect(openConversion(plain)).rejects.toThrow(
      /^openConversion: the work that a file was saved from must be stored to go on with it \(got ".*plain\.onnx", in which dense weights, tables and temperatures as they are trained are not\); save it with \{ reopen: true \}, or give the folder of conversion\.store as \{ work: folder \}$/,
    );
    const path = join(folder, "moved.onnx");
    await conversion.save(path, { reopen: true });
    await expect(openConversion(readFileSync(path))).rejects.toThrow(
      /bytes must come with the folder of their work/,
    );
    const elsewhere = join(folder, "elsewhere.onnx");
    copyFileSync(path, elsewhere);
    expect(outputsOf((await openConversion(elsewhere)).model)).toEqual(outputsOf(conversion.model));
    rmSync(`${path}.work`, { recursive: true });
    await expect(openConversion(path)).rejects.toThrow(
      /the folder must hold a stored conversion \(got ENOENT/,
    );
    const other = convert(tinyNetwork(3), { layers });
    await other.store(`${path}.work`);
    await expect(openConversion(path)).rejects.toThrow(
      /must have the state that ".*moved\.onnx" was saved from \(it has none of 1 states with its fingerprint\)/,
    );
    await expect(openConversion(`${path}.work`, { work: "x" })).rejects.toThrow(
      /work must be left out for a folder/,
    );
    const dense = join(folder, "foreign.onnx");
    const { exportOnnx: write } = await import("lutnn");
    await write(tinyNetwork(), dense);
    await expect(openConversion(dense)).rejects.toThrow(/must be one that conversion\.save wrote/);
    await conversion.restoreAll();
  });

  it("never from a folder that is not beside it", async () => {
    const conversion = convert(tinyNetwork(), { layers });
    const path = join(folder, "hostile.onnx");
    await conversion.save(path, { reopen: true });
    const bytes = readFileSync(path);
    // The same length, so that the file stays one.
    const hostile = Buffer.from(
      bytes.toString("latin1").replace("hostile.onnx.work", "../../../etc/work"),
      "latin1",
    );
    const { writeFileSync } = await import("node:fs");
    writeFileSync(path, hostile);
    await expect(openConversion(path)).rejects.toThrow(
      /the work of a file must lie beside it \(got "\.\.\/\.\./,
    );
  });
});

describe("what a file says of itself", () => {
  it("is read back: sizes, methods, data, seeds, and how good the network was", async () => {
    const conversion = await trained();
    const path = join(folder, "told.onnx");
    const { metric } = await conversion.evaluate(tinyData(60, 1));
    await conversion.save(path, { metadata: { licence: "MIT" } });
    const info = await fileInfo(path);
    expect(info.layers.map(({ name, method, numCentroids }) => [name, method, numCentroids])).toEqual([
      ["c2", "leastSquares", 16],
      ["hidden", "leastSquares", 16],
    ]);
    expect(info.measured).toEqual({
      metric: "accuracy",
      unit: "%",
      value: metric.value,
      data: "tiny",
      examples: 60,
    });
    expect([info.lookups, info.profile, info.work, info.metadata.licence]).toEqual([
      "local",
      "plus",
      null,
      "MIT",
    ]);
    expect(info.fineTuned).toBe("tiny, 120 examples, seed 0");
    expect(info.bytes).toBe(readFileSync(path).length);
    expect(info.state).toMatch(/^[0-9a-f]{64}$/);
    expect(info.sentence).toMatch(
      /^told\.onnx: [\d,]+ bytes; lookups as functions; written by lutnn \S+; profile plus; one of 3 classes.*; fine-tuned on tiny.*; accuracy [\d.]+ % on 60 examples of tiny$/,
    );
    expect(String(info)).toContain("leastSquares");
    await conversion.save(path, { functions: "inlined" });
    expect((await fileInfo(readFileSync(path))).lookups).toBe("inlined");
    // Another state was not evaluated, and has another fingerprint; the way back finds both again, stored work too.
    await conversion.restore("hidden");
    await conversion.save(path);
    const restored = await fileInfo(path);
    expect(restored.measured).toBeNull();
    expect(restored.state).not.toBe(info.state);
    await conversion.undo();
    await conversion.store(join(folder, "measured"));
    const opened = await openConversion(join(folder, "measured"));
    await opened.save(path);
    expect(await fileInfo(path)).toMatchObject({ measured: info.measured, state: info.state });
    for (const one of [conversion, opened]) await one.restoreAll();
    await conversion.save(path);
    expect((await fileInfo(path)).lookups).toBe("none");
  });

  it("is refused in a sentence where it is none of ours or no file", async () => {
    await expect(fileInfo(join(folder, "nothing.onnx"))).rejects.toThrow(/^fileInfo: it must exist/);
    await expect(fileInfo(new Uint8Array(3))).rejects.toThrow(
      /^fileInfo: model: the file must be a whole ONNX/,
    );
    const path = join(folder, "changed.onnx");
    const conversion = await trained();
    await conversion.save(path);
    const changed = readFileSync(path).toString("latin1").replace('{"c2":{"op":', '{"c2":["op":');
    await expect(fileInfo(Buffer.from(changed, "latin1"))).rejects.toThrow(
      /lutnn\.layers of model must be what conversion\.save writes there/,
    );
    await conversion.restoreAll();
  });
});

describe("large constants beside the file", () => {
  it("belong to it: every backend finds them, and those of the file before go", async () => {
    const conversion = convert(tinyNetwork(), { layers });
    await conversion.calibrate(data, { method: "kmeans" });
    await conversion.replaceAll();
    const inside = join(folder, "apart");
    const path = join(inside, "apart.onnx");
    const whole = join(folder, "whole.onnx");
    await conversion.save(whole);
    const said = await conversion.save(path, { externalData: true });
    expect(said.sentence).toMatch(
      /bytes, with [\d,]+ bytes in apart\.onnx\.[0-9a-f]{16}\.data, 3 of 3 layers replaced/,
    );
    const names = readdirSync(inside).sort();
    expect(names).toHaveLength(2);
    const feeds = {
      input: { data: Float32Array.from({ length: 72 }, (_, i) => Math.sin(i)), dims: [1, 2, 6, 6] },
    };
    const run = async (file: string, backend: "native" | "onnxruntime" | "reference") => {
      const session = await InferenceSession.create(file, { backend, optimize: false });
      const { output } = await session.run(feeds);
      await session.release();
      return [...output.data];
    };
    for (const backend of ["native", "onnxruntime", "reference"] as const)
      expect(await run(path, backend)).toEqual(await run(whole, backend));
    expect((await fileInfo(path)).externalBytes).toBeGreaterThan(5000);
    await expect(InferenceSession.create(readFileSync(path))).rejects.toThrow(
      /must be given as the path of its file \(got bytes/,
    );
    await conversion.save(path, { externalData: true });
    expect(readdirSync(inside).sort()).toEqual(names); // the same content, the same name
    await conversion.restore("c3");
    await conversion.save(path, { externalData: true });
    const after = readdirSync(inside).sort();
    expect(after).toHaveLength(2);
    expect(after).not.toEqual(names);
    await conversion.save(path);
    expect(readdirSync(inside)).toEqual(["apart.onnx"]);
    expect(existsSync(whole)).toBe(true);
    await conversion.restoreAll();
  });
});
