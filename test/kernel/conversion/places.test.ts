import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Conversion, convert, LutnnError, openConversion, tf } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { tinyData, tinyNetwork } from "../network";

const root = mkdtempSync(join(tmpdir(), "lutnn-places-"));
afterAll(() => rmSync(root, { recursive: true }));
const train = tinyData(60);

async function replaced(seed = 1): Promise<Conversion> {
  const conversion = convert(tinyNetwork(seed), { layers: ["c2", "c3"] });
  await conversion.calibrate(train, { method: "kmeans" });
  await conversion.replaceAll();
  return conversion;
}

/** The numbers that a network gives for some images. */
const outputs = (model: tf.LayersModel) =>
  tf.tidy(() => [...(model.predict(tf.tensor4d(train.images, [60, 6, 6, 2])) as tf.Tensor).dataSync()]);

describe("stored work", () => {
  it("sweeps its own arrays and what a killed process left of them, and nobody else's files", async () => {
    const folder = join(root, "mine");
    const arrays = join(folder, "arrays");
    mkdirSync(arrays, { recursive: true });
    const mine = ["notes.npy", "download.partial", "0123456789abcdef", `${"a".repeat(64)}.txt`];
    for (const name of mine) writeFileSync(join(arrays, name), "kept");
    const left = [`${"b".repeat(64)}`, `${"c".repeat(40)}.01234567-1-1-01234567.part`];
    for (const name of left) writeFileSync(join(arrays, name), "old");
    await (await replaced()).store(folder);
    const found = readdirSync(arrays);
    expect(found.filter((name) => !/^[0-9a-f]{64}$/.test(name)).sort()).toEqual([...mine].sort());
    expect(found).not.toContain(left[0]);
    for (const name of mine) expect(readFileSync(join(arrays, name), "utf8")).toBe("kept");
  });

  it("writes an array anew of which a part is there", async () => {
    const folder = join(root, "again");
    const conversion = await replaced();
    await conversion.store(folder);
    const [name] = readdirSync(join(folder, "arrays"));
    writeFileSync(join(folder, "arrays", name), "cut");
    await conversion.store(folder);
    expect(outputs((await openConversion(folder)).model)).toEqual(outputs(conversion.model));
  });

  it.skipIf(process.platform === "win32")(
    "that does not fit leaves what was stored before, and nothing else",
    async () => {
      const folder = join(root, "full");
      const conversion = await replaced();
      await conversion.store(folder);
      const before = readdirSync(folder, { recursive: true }).sort();
      // A limit on the size of files stands for a disk that fills up.
      const script = `
        const { convert, datasets, openConversion } = require(${JSON.stringify(join(import.meta.dirname, "../../../kernel/lib/index.js"))});
        openConversion(process.argv[1]).then(async (conversion) => {
          await conversion.restoreAll();
          const images = Float32Array.from({ length: 7200 }, (_, i) => Math.sin(i));
          const data = new datasets.Dataset({ name: "d", inputShape: [6, 6, 2], numClasses: 3, images, labels: new Int32Array(100) });
          await conversion.calibrate(data);
          await conversion.store(process.argv[1]);
        }).catch((error) => console.log(error.name + "|" + error.message));`;
      const said = execFileSync(
        "sh",
        ["-c", 'ulimit -f 8; exec "$0" -e "$1" "$2"', process.execPath, script, folder],
        { encoding: "utf8", env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: "1" } },
      );
      expect(said).toMatch(/^LutnnError\|store: it must be no larger than the file system allows; .*EFBIG/);
      expect(readdirSync(folder, { recursive: true }).sort()).toEqual(before);
      expect(outputs((await openConversion(folder)).model)).toEqual(outputs(conversion.model));
    },
  );
});

describe("a fine-tuning whose log or checkpoint cannot be written any more", () => {
  it.each(["log", "checkpoint"] as const)("keeps what was trained (%s)", async (option) => {
    const conversion = await replaced();
    const before = outputs(conversion.model);
    const folder = join(root, `lost ${option}`);
    // The third batch finds the folder gone and a file in its place.
    let batches = 0;
    const data = train.map((inputs) => {
      if (++batches === 3) {
        rmSync(folder, { recursive: true, force: true });
        writeFileSync(folder, "");
      }
      return inputs;
    });
    const options = { epochs: 3, batchSize: 20, learningRate: 0.01, [option]: folder };
    await expect(conversion.fineTune(data, options)).rejects.toThrow(
      new RegExp(`^${option}: every folder on the way must be one`),
    );
    expect([...conversion.states].at(-1)?.label).toBe("fine-tune, stopped");
    expect(outputs(conversion.model)).not.toEqual(before);
    expect(existsSync(join(folder, "metrics.jsonl"))).toBe(false);
    await conversion.restoreAll();
  });

  it("that could never be written changes nothing", async () => {
    const conversion = await replaced();
    const states = conversion.states.length;
    const inTheWay = join(root, "in the way");
    writeFileSync(inTheWay, "");
    for (const option of ["log", "checkpoint"])
      await expect(conversion.fineTune(train, { epochs: 1, [option]: inTheWay })).rejects.toThrow(LutnnError);
    expect(conversion.states.length).toBe(states);
    await conversion.restoreAll();
  });
});

describe("a checkpoint's folder", () => {
  it("is swept of what a killed run left, and of nobody else's files", async () => {
    const folder = join(root, "shared");
    mkdirSync(folder);
    const mine = [
      "film.partial",
      "checkpoint-1.safetensors.0123abcd-1-1-0123abcd.part",
      "best.onnx.0123abcd-1-1-0123abcd.part",
    ];
    const left = ["checkpoint-000000003.safetensors", "best.safetensors"].map(
      (name) => `${name}.0123abcd-1-1-0123abcd.part`,
    );
    for (const name of [...mine, ...left]) writeFileSync(join(folder, name), "");
    const conversion = await replaced();
    await conversion.fineTune(train, { epochs: 1, checkpoint: folder });
    expect(readdirSync(folder).sort()).toEqual([...mine, "checkpoint-000000001.safetensors"].sort());
    await conversion.restoreAll();
  });
});
