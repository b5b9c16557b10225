import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as lutnn from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decodeArray, encodeArray } from "../../../kernel/lib/conversion/arrayFile";
import { readManifest } from "../../../kernel/lib/conversion/manifest";
import { StoredArray } from "../../../kernel/lib/conversion/storedArray";
import { gunzipExactly } from "../../../kernel/lib/datasets/gunzip";
import { parseIdx } from "../../../kernel/lib/datasets/idx";
import { readTensors, writeSafetensors } from "../../../kernel/lib/files/safetensors";
import { headOfFile } from "../../../kernel/lib/inference/fileHead";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { bringDataIn } from "../../../kernel/lib/onnx/externalData";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { CheckpointFolder } from "../../../kernel/lib/training/checkpoint";
import { withLookups } from "../inference/lookupNetwork";
import { tinyData, tinyNetwork } from "../network";
import { mutatedBytes, mutatedJson } from "./mutate";

/** So many mutated files for each reader; LUTNN_FUZZ multiplies them, LUTNN_FUZZ_SEED takes others. */
const times = Number(process.env.LUTNN_FUZZ ?? 1);
const firstSeed = Number(process.env.LUTNN_FUZZ_SEED ?? 0) * 1_000_000;

const root = mkdtempSync(join(tmpdir(), "lutnn-fuzz-"));
afterAll(() => rmSync(root, { recursive: true }));

/**
 * Feeds a reader so many inputs. Whatever it says of them must be a LutnnError of one line; and it must take some and
 * refuse some, or it does not look.
 */
async function fuzz(count: number, attempt: (seed: number) => unknown): Promise<void> {
  let refused = 0;
  const last = firstSeed + Math.ceil(count * times);
  for (let seed = firstSeed; seed < last; seed++)
    try {
      await attempt(seed);
    } catch (error) {
      if (!(error instanceof lutnn.LutnnError) || error.message.includes("\n"))
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.stack : error}`);
      refused++;
    }
  const share = refused / (last - firstSeed);
  expect(share, "the share that is refused").toBeGreaterThan(0.01);
  expect(share, "the share that is refused").toBeLessThan(0.999);
}

const whole = writeSafetensors(
  [
    { name: "a", shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { name: "b", shape: [3], values: Int32Array.of(1, 2, 3) },
    { name: "c", shape: [], values: Float32Array.of(1), half: true },
  ],
  { note: "x" },
);
const headerOf = (file: Uint8Array): unknown => {
  const length = Number(Buffer.from(file).readBigUInt64LE());
  return JSON.parse(Buffer.from(file).toString("utf8", 8, 8 + length));
};
/** The same data under another header. */
function withHeader(header: string): Buffer {
  const text = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, whole.slice(8 + Number(Buffer.from(whole).readBigUInt64LE()))]);
}

describe("a mutated file is read, or refused in a sentence of ours", () => {
  it("safetensors, by bytes and by header", async () => {
    await fuzz(3000, (seed) => readTensors(mutatedBytes(whole, seed), "f"));
    await fuzz(3000, (seed) => readTensors(withHeader(mutatedJson(headerOf(whole), seed)), "f"));
  });

  it("arrays of a stored conversion", async () => {
    const array = encodeArray(new StoredArray([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)));
    await fuzz(3000, (seed) => decodeArray(mutatedBytes(array, seed), "f"));
    await fuzz(3000, (seed) => {
      const text = mutatedJson({ type: "Float32Array", shape: [2, 3] }, seed);
      return decodeArray(Buffer.concat([Buffer.from(`${text}\n`), Buffer.alloc(24)]), "f");
    });
  });

  it("IDX and gzip", async () => {
    const idx = Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, ...Array(24).keys()]);
    await fuzz(3000, (seed) => parseIdx(mutatedBytes(idx, seed), "f"));
    const packed = gzipSync(Buffer.alloc(100_000, "lutnn"));
    await fuzz(1000, (seed) => gunzipExactly(mutatedBytes(packed, seed), 100_000, "f"));
  });

  it("ONNX", async () => {
    const file = exportOnnx(tinyNetwork());
    await fuzz(600, (seed) => headOfFile(readModel(mutatedBytes(file, seed), "f")));
  });

  it("what an ONNX file says of itself, and its constants elsewhere", async () => {
    const path = join(root, "saved.onnx");
    const conversion = lutnn.convert(tinyNetwork(), { layers: ["c2"] });
    await conversion.calibrate(tinyData(40), { method: "kmeans" });
    await conversion.replaceAll();
    await conversion.save(path, { externalData: true, check: false });
    const file = readFileSync(path);
    await fuzz(400, async (seed) => {
      const bytes = mutatedBytes(file, seed);
      await lutnn.fileInfo(bytes);
      bringDataIn(readModel(bytes, "f"), root, "f");
    });
    await conversion.restoreAll();
  });

  it("an ONNX file in the reference session", async () => {
    const model = withLookups(
      tinyNetwork(),
      { c2: 9, hidden: 6 },
      { scale: Math.fround(0.03), zeroPoint: 128 },
    );
    const file = exportOnnx(model);
    const x = { data: new Float32Array(72).fill(0.4), dims: [1, 2, 6, 6] };
    await fuzz(60, async (seed) => {
      const session = await lutnn.InferenceSession.create(mutatedBytes(file, seed), { backend: "reference" });
      try {
        await session.run({ input: x });
      } finally {
        await session.release();
      }
    });
  });

  it("a checkpoint whose checksum is right", async () => {
    const folder = join(root, "run");
    await lutnn.fit(tinyNetwork(), tinyData(60), {
      epochs: 2,
      batchSize: 30,
      validation: tinyData(30, 1),
      checkpoint: folder,
    });
    const file = readFileSync(join(folder, "checkpoint-000000004.safetensors"));
    const { arrays, metadata } = lutnnFile(file);
    const state = JSON.parse(metadata.lutnn);
    const place = new CheckpointFolder(join(root, "crafted"), state.identity);
    await place.prepare();
    const crafted = join(root, "crafted", "best.safetensors");
    await fuzz(1000, async (seed) => {
      const text = mutatedJson(state, seed);
      const sha256 = createHash("sha256").update(text).digest("hex");
      writeFileSync(crafted, writeSafetensors([], { lutnn: text, sha256 }));
      return place.read("best.safetensors");
    });
    expect(arrays.length).toBeGreaterThan(5);
  });
});

const lutnnFile = (file: Uint8Array) => {
  const { tensors, metadata } = readTensors(file, "f");
  return { arrays: tensors, metadata };
};

describe("a crafted stored conversion", () => {
  const folder = join(root, "work");
  const manifest = join(folder, "conversion.json");
  let text = "";
  beforeAll(async () => {
    const conversion = lutnn.convert(tinyNetwork(), { layers: ["c2", "hidden"] });
    await conversion.calibrate(tinyData(60), { method: "kmeans" });
    await conversion.calibrate(tinyData(60), { method: "maddness" });
    await conversion.replace("c2", { method: "kmeans" });
    await conversion.replace("hidden");
    await conversion.store(folder);
    text = readFileSync(manifest, "utf8");
  });

  it("has a manifest that is read or refused", async () => {
    await fuzz(400, (seed) => readManifest(mutatedBytes(Buffer.from(text), seed).toString(), "f"));
    const value = JSON.parse(text);
    await fuzz(600, (seed) => readManifest(mutatedJson(value, seed), "f"));
  });

  it("is opened and goes to each of its states, or is refused", async () => {
    const value = JSON.parse(text);
    await fuzz(60, async (seed) => {
      // Of the states, which hold most of it, of the network's own description, or of its weights.
      const part = (["topology", "states", "dense"] as const)[seed % 3];
      const made =
        part === "topology"
          ? JSON.stringify(mutatedJson(JSON.parse(value.topology), seed))
          : mutatedJson(value[part], seed);
      const { [part]: _left, ...rest } = value;
      writeFileSync(manifest, `${JSON.stringify(rest).slice(0, -1)},"${part}":${made || null}}`);
      const before = lutnn.tf.memory().numTensors;
      const opened = await lutnn.openConversion(folder);
      for (const { id } of opened.states) await opened.goTo(id);
      expect(lutnn.tf.memory().numTensors).toBeGreaterThan(before);
      opened.original.dispose();
    });
    writeFileSync(manifest, text);
  });

  it("whose arrays are exchanged for each other's is refused", async () => {
    const names = readdirSync(join(folder, "arrays"));
    const other = join(root, "exchanged");
    mkdirSync(join(other, "arrays"), { recursive: true });
    for (const [i, name] of names.entries())
      writeFileSync(
        join(other, "arrays", name),
        readFileSync(join(folder, "arrays", names[(i + 1) % names.length])),
      );
    writeFileSync(join(other, "conversion.json"), text);
    await expect(lutnn.openConversion(other)).rejects.toThrow(/must hold what its name says/);
  });
});
