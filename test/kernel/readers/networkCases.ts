import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import * as lutnn from "lutnn";
import { decodeArray, encodeArray } from "../../../kernel/lib/conversion/arrayFile";
import { readManifest } from "../../../kernel/lib/conversion/manifest";
import { StoredArray } from "../../../kernel/lib/conversion/storedArray";
import { gunzipExactly } from "../../../kernel/lib/datasets/gunzip";
import { parseIdx } from "../../../kernel/lib/datasets/idx";
import { readNpy, writeNpy } from "../../../kernel/lib/files/npy";
import { readTensors, writeSafetensors } from "../../../kernel/lib/files/safetensors";
import { headOfFile } from "../../../kernel/lib/inference/fileHead";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { readOnnxFile } from "../../../kernel/lib/models/onnx/readFile";
import { splitData } from "../../../kernel/lib/onnx/splitData";
import { parseErrorAccumulation } from "../../../kernel/lib/report/readErrorAccumulation";
import { CheckpointFolder } from "../../../kernel/lib/training/checkpoint";
import { fixtureReport } from "../../extension/fixtures/report";
import { mutatedBytes, mutatedJson } from "../files/mutate";
import { withLookups } from "../inference/lookupNetwork";
import { tinyData, tinyNetwork } from "../network";
import type { Attempt } from "./cases";

const small = writeSafetensors(
  [
    { name: "a", shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) },
    { name: "b", shape: [3], values: Int32Array.of(1, 2, 3) },
    { name: "c", shape: [], values: Float32Array.of(1), half: true },
  ],
  { note: "x" },
);
const headerLength = Number(Buffer.from(small).readBigUInt64LE());
const header: unknown = JSON.parse(Buffer.from(small).toString("utf8", 8, 8 + headerLength));

/** The same data under another header. */
function withHeader(text: string): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(text)));
  return Buffer.concat([length, Buffer.from(text), small.slice(8 + headerLength)]);
}

/** A file whose state is mutated JSON, and its checksum right. */
async function checkpointCase(root: string): Promise<Attempt> {
  const folder = join(root, "run");
  await lutnn.fit(tinyNetwork(), tinyData(60), {
    epochs: 2,
    batchSize: 30,
    validation: tinyData(30, 1),
    checkpoint: folder,
  });
  const newest = readdirSync(folder).sort().at(-1)!;
  const { metadata } = readTensors(readFileSync(join(folder, newest)), "f");
  const state = JSON.parse(metadata.lutnn);
  const place = new CheckpointFolder(join(root, "crafted"), state.identity);
  await place.prepare();
  return (seed) => {
    const text = mutatedJson(state, seed);
    const sha256 = createHash("sha256").update(text).digest("hex");
    writeFileSync(join(root, "crafted/best.safetensors"), writeSafetensors([], { lutnn: text, sha256 }));
    return place.read("best.safetensors");
  };
}

async function manifestCase(root: string): Promise<Attempt> {
  const folder = join(root, "work");
  const conversion = lutnn.convert(tinyNetwork(), { layers: ["c2", "hidden"] });
  await conversion.calibrate(tinyData(60), { method: "kmeans" });
  await conversion.calibrate(tinyData(60), { method: "maddness" });
  await conversion.replaceAll();
  await conversion.store(folder);
  const text = readFileSync(join(folder, "conversion.json"), "utf8");
  const value = JSON.parse(text);
  return (seed) =>
    readManifest(seed % 2 ? mutatedBytes(Buffer.from(text), seed).toString() : mutatedJson(value, seed), "f");
}

async function infoCase(root: string): Promise<Attempt> {
  const path = join(root, "saved.onnx");
  const conversion = lutnn.convert(tinyNetwork(), { layers: ["c2"] });
  await conversion.calibrate(tinyData(40), { method: "kmeans" });
  await conversion.replaceAll();
  await conversion.save(path, { check: false });
  await conversion.restoreAll();
  const file = readFileSync(path);
  return (seed) => lutnn.fileInfo(mutatedBytes(file, seed));
}

function sessionCase(): Attempt {
  const quantiser = { scale: Math.fround(0.03), zeroPoint: 128 };
  const file = exportOnnx(withLookups(tinyNetwork(), { c2: 9, hidden: 6 }, quantiser));
  const input = { data: new Float32Array(72).fill(0.4), dims: [1, 2, 6, 6] };
  return async (seed) => {
    const session = await lutnn.InferenceSession.create(mutatedBytes(file, seed), { backend: "reference" });
    try {
      await session.run({ input });
    } finally {
      await session.release();
    }
  };
}

/** What `parseErrorAccumulation` says is its refusal. */
function reportCase(): Attempt {
  const report = fixtureReport({ names: ["conv1", "conv2"], series: ["k-means", "fine-tuned"] });
  return (seed) => {
    const text = mutatedJson(report, seed);
    let data: unknown;
    try {
      data = JSON.parse(text);
    } catch {
      throw new lutnn.LutnnError("no JSON");
    }
    const read = parseErrorAccumulation(data);
    if (typeof read === "string") throw new lutnn.LutnnError(read);
  };
}

/** What reads files of networks, conversions and numbers; each with files of its own below `root`. */
export async function networkCases(root: string): Promise<Record<string, Attempt>> {
  mkdirSync(root, { recursive: true });
  const array = encodeArray(new StoredArray([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)));
  const idx = Buffer.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, ...Array(24).keys()]);
  const packed = gzipSync(Buffer.alloc(100_000, "lutnn"));
  const numbers = [
    writeNpy({ type: "f4", shape: [2, 3], values: Float32Array.of(1, 2, 3, 4, 5, 6) }),
    writeNpy({ type: "i8", shape: [3], values: BigInt64Array.of(1n, 2n, 3n) }),
  ];
  const network = exportOnnx(tinyNetwork());
  const beside = splitData(network, "n.onnx")!;
  const path = join(root, "n.onnx");
  writeFileSync(join(root, beside.location), beside.data);
  writeFileSync(path, beside.model);
  return {
    safetensors: (seed) => readTensors(mutatedBytes(small, seed), "f"),
    "safetensors' header": (seed) => readTensors(withHeader(mutatedJson(header, seed)), "f"),
    "stored array": (seed) => {
      if (seed % 2) return decodeArray(mutatedBytes(array, seed), "f");
      const text = mutatedJson({ type: "Float32Array", shape: [2, 3] }, seed);
      return decodeArray(Buffer.concat([Buffer.from(`${text}\n`), Buffer.alloc(24)]), "f");
    },
    npy: (seed) => readNpy(mutatedBytes(numbers[seed % 2], seed), "f"),
    idx: (seed) => parseIdx(mutatedBytes(idx, seed), "f"),
    gzip: (seed) => gunzipExactly(mutatedBytes(packed, seed), 100_000, "f"),
    onnx: (seed) => headOfFile(readOnnxFile(mutatedBytes(network, seed), null).model),
    "onnx with constants beside": (seed) => readOnnxFile(mutatedBytes(beside.model, seed), path),
    "what a saved file says of itself": await infoCase(root),
    "reference session": sessionCase(),
    checkpoint: await checkpointCase(root),
    "stored conversion": await manifestCase(root),
    report: reportCase(),
  };
}
