import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Conversion, convert, InferenceSession, LutnnError, openConversion, plan, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { tinyData, tinyNetwork } from "../network";

const folder = mkdtempSync(join(tmpdir(), "lutnn-files-"));
const data = tinyData(60);

/** What the file of a conversion says of itself. */
async function metadataOf(conversion: Conversion, name: string): Promise<Record<string, string>> {
  const path = join(folder, name);
  await conversion.save(path);
  const session = await InferenceSession.create(path);
  await session.release();
  return session.metadata;
}

describe("a saved file's metadata", () => {
  it("says version, profile, and for each layer method, sizes, data and seed; kept by store", async () => {
    const conversion = convert(tinyNetwork(), { layers: ["c2", "hidden"], numCentroids: { hidden: 8 } });
    await conversion.calibrate(data, { method: "kmeans", seed: 5 });
    await conversion.calibrate(data.take(50), { method: "leastSquares", layers: ["hidden"], seed: 6 });
    await conversion.replace("c2", { method: "kmeans" });
    await conversion.replace("hidden");
    const said = await metadataOf(conversion, "said.onnx");
    const { version } = JSON.parse(readFileSync("kernel/package.json", "utf8"));
    expect(said).toMatchObject({
      "lutnn.version": version,
      "lutnn.profile": "plus",
      "lutnn.method": "kmeans, leastSquares",
      "lutnn.data": "tiny",
      "lutnn.seed": "5, 6",
      "lutnn.fineTuned": "no",
    });
    expect(said["lutnn.task"]).toMatch(/^one of 3 classes/);
    expect(JSON.parse(said["lutnn.settings"])).toMatchObject({ tableBits: 8, tableScale: "output" });
    const layers = JSON.parse(said["lutnn.layers"]);
    expect(layers.c2).toEqual({
      op: "conv2d",
      method: "kmeans",
      positions: 36,
      inputLength: 72,
      outputs: 8,
      numCentroids: 16,
      subvectorLength: 9,
      numCodebooks: 8,
      data: "tiny",
      examples: 60,
      seed: 5,
    });
    expect(layers.hidden).toMatchObject({ method: "leastSquares", numCentroids: 8, examples: 50, seed: 6 });
    await conversion.fineTune(data, { epochs: 1, seed: 7 });
    const tuned = await metadataOf(conversion, "tuned.onnx");
    expect(tuned["lutnn.fineTuned"]).toBe("tiny, 60 examples, seed 7");
    await conversion.store(join(folder, "work"));
    const opened = await openConversion(join(folder, "work"));
    // What linear outputs are for the data have told, and it is not stored.
    const { "lutnn.task": _task, ...known } = tuned;
    expect(await metadataOf(opened, "opened.onnx")).toMatchObject(known);
    await opened.restore("hidden");
    expect(Object.keys(JSON.parse((await metadataOf(opened, "one.onnx"))["lutnn.layers"]))).toEqual(["c2"]);
    await opened.restoreAll();
    const dense = await metadataOf(opened, "dense.onnx");
    await opened.save(join(folder, "more.onnx"), { metadata: { accuracy: "97.8 %" } });
    const more = await InferenceSession.create(join(folder, "more.onnx"));
    expect(more.metadata).toEqual({ ...dense, accuracy: "97.8 %" });
    await more.release();
    await expect(
      opened.save(join(folder, "no.onnx"), { metadata: { "lutnn.profile": "x" } }),
    ).rejects.toThrow(
      'save: keys of metadata must be names that do not begin with "lutnn." (got "lutnn.profile"); choose another',
    );
    expect(dense["lutnn.fineTuned"]).toBe("no");
    expect(dense).not.toHaveProperty(["lutnn.method"]);
  });
});

describe("what is no network", () => {
  it("is refused with the call that opens it, by convert and by plan", async () => {
    const path = join(folder, "some.onnx");
    const conversion = convert(tinyNetwork(), { layers: ["c2"] });
    await conversion.save(path);
    await conversion.store(join(folder, "stored"));
    mkdirSync(join(folder, "empty"));
    writeFileSync(join(folder, "model.json"), "{}");
    const bytes = readFileSync(path);
    for (const [given, message] of [
      [
        path,
        /got the ONNX file ".*some\.onnx"\); await fromOnnx\(".*some\.onnx"\) makes a network of it, .* InferenceSession\.create\(".*some\.onnx"\), and openConversion/,
      ],
      [bytes, /got the bytes of an ONNX file\); await fromOnnx\(bytes\) makes a network of it/],
      [bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), /got the bytes of an ONNX/],
      [new Uint8Array(3), /got 3 bytes of no known format/],
      [
        join(folder, "stored"),
        /got the folder of a stored conversion.*; openConversion\(".*stored"\) opens it/,
      ],
      [join(folder, "empty"), /got the folder .*; await fromLayersModel\(".*empty"\) opens/],
      [join(folder, "model.json"), /; await fromLayersModel\(".*model\.json"\) opens/],
      [join(folder, "nothing.onnx"), /and there is no such file/],
      [
        tf.loadLayersModel("file://nothing/model.json").catch(() => null),
        /got a promise\); wait for it with await/,
      ],
      [undefined, /got undefined\)/],
      [null, /got null\)/],
      [{}, /got an object\)/],
      [3, /got a number\)/],
    ] as const) {
      const attempt = () => convert(given as unknown as tf.LayersModel);
      expect(attempt).toThrow(LutnnError);
      expect(attempt).toThrow(/^convert: the network must be a tf\.LayersModel \(/);
      expect(attempt).toThrow(message);
    }
    await expect(openConversion(path)).rejects.toThrow(
      /^openConversion: the work that a file was saved from must be stored .*some\.onnx.*\{ reopen: true \}/,
    );
    const budget = { bytes: 1000 };
    const wrong = path as unknown as tf.LayersModel;
    await expect(plan(wrong, { data, validation: data, budget })).rejects.toThrow(
      /^plan: the network must be/,
    );
  });
});
