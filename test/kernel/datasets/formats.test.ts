import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { datasets, tf } from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { crop, mirrored, rotated } from "../../../kernel/lib/datasets/decoding/augment";
import type { Image } from "../../../kernel/lib/datasets/decoding/image";
import { resize } from "../../../kernel/lib/datasets/decoding/resize";
import { displaySymbol } from "../../../kernel/lib/host/host";

/** Rounding of float32, in the units of normalised pixels. */
const rounding = 1e-6;
/** Decoders of JPEG differ by up to four levels, here divided by the smallest deviation there is. */
const decoders = 4 / 255 / 0.2;
/** Of a spectrogram, relative to the largest value of it. */
const spectrum = 1e-4;

const root = mkdtempSync(join(tmpdir(), "lutnn-formats-"));
const cache = process.env.XDG_CACHE_HOME;
interface Expected {
  shape: number[];
  targets: number[];
}
let expected: Record<string, Expected> = {};
beforeAll(() => {
  process.env.XDG_CACHE_HOME = join(root, "cache");
  const python = join(import.meta.dirname, "../../../.venv/bin/python");
  execFileSync(python, [join(import.meta.dirname, "formats/make.py"), root]);
  expected = JSON.parse(readFileSync(join(root, "expected.json"), "utf8"));
});
afterAll(() => {
  if (cache === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = cache;
  rmSync(root, { recursive: true });
});

const wanted = (name: string) => {
  const bytes = readFileSync(join(root, `${name}.f32`));
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
};
interface Read {
  values: Float32Array;
  targets: number[];
}
async function all(data: datasets.ExampleSource, options?: datasets.BatchOptions): Promise<Read> {
  const [values, targets]: number[][] = [[], []];
  for await (const batch of data.batches(4, options)) {
    for (const value of batch.inputs[data.inputs[0].name].dataSync()) values.push(value);
    targets.push(...batch.targets.dataSync());
    datasets.disposeBatch(batch);
  }
  return { values: Float32Array.from(values), targets };
}
const farthest = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs(a[i] - b[i]));
  return most;
};
/** Reads a part in order and compares every value and target. */
async function compare(name: string, data: datasets.ExampleSource, tolerance: number): Promise<void> {
  const { shape, targets } = expected[name];
  expect([data.size, ...data.inputs[0].shape]).toEqual(shape);
  const read = await all(data);
  expect(read.targets).toEqual(targets);
  expect(farthest(read.values, wanted(name)), name).toBeLessThanOrEqual(tolerance);
}
const namesOf = ({ target }: datasets.ExampleSource) => (target.kind === "class" ? target.names! : []);
const still = { augment: false };

describe("a data set in its true format, made by other programs", () => {
  it("CIFAR-10", async () => {
    const { train, test } = await datasets.cifar10({ dataFolder: root, ...still });
    await compare("cifar-10-train", train, rounding);
    await compare("cifar-10-test", test, rounding);
    expect(test.target).toMatchObject({ kind: "class", classes: 10 });
    expect(namesOf(test)[8]).toBe("ship");
  });

  it("SVHN, packed and not, by MAT of version 5", async () => {
    for (const _again of [1, 2]) {
      const { train, test } = await datasets.svhn({ dataFolder: root, ...still });
      await compare("svhn-train", train, rounding);
      await compare("svhn-test", test, rounding);
    }
  });

  it("GTSRB, resized as Pillow does, to the bit", async () => {
    const { train, test } = await datasets.gtsrb({ dataFolder: root, ...still });
    await compare("gtsrb-train", train, rounding);
    await compare("gtsrb-test", test, rounding);
    expect(namesOf(test)).toHaveLength(43);
  });

  it("Speech Commands, as mel power and its logarithm", async () => {
    const paper = await datasets.speechCommands({ dataFolder: root, profile: "paper" });
    const plus = await datasets.speechCommands({ dataFolder: root });
    for (const part of ["train", "validation", "test"] as const) {
      const name = `speech-commands-${part}`;
      const power = wanted(name);
      const largest = power.reduce((most, value) => Math.max(most, value), 0);
      expect(largest).toBeGreaterThan(1);
      await compare(name, paper[part], spectrum * Math.min(1, largest));
      const read = await all(plus[part]);
      expect(
        farthest(
          read.values,
          power.map((value) => Math.log(value + 1e-6)),
        ),
      ).toBeLessThan(1e-3);
    }
  });

  it("UTKFace, in colour, grey, progressive and for printing", async () => {
    const { train, test } = await datasets.utkFace({ dataFolder: root });
    expect([train.size, test.size]).toEqual([16, 4]);
    expect(train.target).toMatchObject({ kind: "values", length: 1, unit: "years" });
    const { shape, targets } = expected.utkface;
    const [, ...one] = shape;
    const length = one.reduce((product, side) => product * side, 1);
    const values = wanted("utkface");
    const read = [await all(train), await all(test)];
    const seen = new Set<number>();
    for (const { values: pixels, targets: ages } of read)
      ages.forEach((age, n) => {
        const own = pixels.subarray(n * length, (n + 1) * length);
        const at = targets.findIndex(
          (target, i) =>
            target === age && farthest(own, values.subarray(i * length, (i + 1) * length)) <= decoders,
        );
        expect(at, `the face of ${age} years`).toBeGreaterThanOrEqual(0);
        seen.add(at);
      });
    expect(seen.size).toBe(20);
    const years = await datasets.utkFace({ dataFolder: root, task: "classification", size: 64 });
    expect(years.train.inputs[0].shape).toEqual([64, 64, 3]);
    expect((await all(years.train)).targets).toEqual(read[0].targets);
    expect(namesOf(years.train)[25]).toBe("25 years");
  });

  it("ImageNet, with classes in the order of its list", async () => {
    const { train, test } = await datasets.imageNet({ dataFolder: root, ...still });
    await compare("imagenet-train", train, decoders);
    await compare("imagenet-val", test, decoders);
    expect(namesOf(test)).toEqual(["dog", "tench", "thing"]);
  });
});

describe("a transform", () => {
  const picture = (): Image => ({
    height: 21,
    width: 34,
    channels: 3,
    pixels: Uint8Array.from(wanted("picture")),
  });
  const same = (made: Image, name: string) => {
    expect([made.height, made.width, made.channels]).toEqual(expected[name].shape);
    expect([...made.pixels]).toEqual([...wanted(name)]);
  };

  it.each([
    [7, 11],
    [42, 68],
    [21, 5],
    [64, 34],
    [1, 1],
    [20, 33],
  ])("resizes to %i × %i with Pillow's bytes", (height, width) => {
    same(resize(picture(), height, width), `resize-${height}-${width}`);
  });

  it("cuts out of the reflected picture as numpy does, and mirrors", () => {
    for (const [top, left] of [
      [0, 0],
      [3, 8],
      [8, 1],
    ])
      same(crop(picture(), top - 4, left - 4, 21, 20), `crop-${top}-${left}`);
    same(mirrored(picture()), "mirror");
  });

  it.each([-15, -7.5, 3, 15])("turns by %f° as Pillow does, but for pixels on an edge", (degrees) => {
    const made = rotated(picture(), degrees);
    const right = wanted(`rotate-${degrees}`);
    const different = made.pixels.filter((byte, i) => byte !== right[i]).length / made.pixels.length;
    expect(different).toBeLessThan(0.005); // Pillow rounds places to 1/65536 of a pixel
  });
});

describe("augmentation", () => {
  it("follows from seeds alone, differs by pass, and leaves the test part as it is", async () => {
    const make = (options = {}) => datasets.cifar10({ dataFolder: root, ...options });
    const { train, test } = await make();
    const first = await all(train, { seed: 1 });
    expect(await all((await make()).train, { seed: 1 })).toEqual(first);
    expect((await all((await make({ seed: 5 })).train, { seed: 1 })).values).not.toEqual(first.values);
    const inOrder = await all(train);
    expect(inOrder.targets).toEqual(expected["cifar-10-train"].targets);
    expect(inOrder.values).not.toEqual(wanted("cifar-10-train"));
    await compare("cifar-10-test", test, rounding);
    const skipped = await all(train, { seed: 1, first: 2 });
    expect(skipped.values).toEqual(first.values.slice(2 * 4 * 3072));
    // Every augmented picture is a part of the reflected one, mirrored or not.
    const original = wanted("cifar-10-train").subarray(0, 3072);
    const levels = (values: Float32Array) => new Set(values.map((value) => Math.round(value * 1e4)));
    const known = levels(original);
    for (const level of levels(inOrder.values.subarray(0, 3072))) expect(known.has(level)).toBe(true);
  });

  it("mirrors digits in profile paper alone", async () => {
    const mirror = async (profile: "paper" | "plus") => {
      const { train } = await datasets.svhn({ dataFolder: root, profile });
      const plain = wanted("svhn-train");
      const { values } = await all(train);
      let count = 0;
      for (let n = 0; n < train.size; n++) {
        const pixels = (from: Float32Array) => (y: number, x: number) => from[n * 3072 + (y * 32 + x) * 3];
        const [own, made] = [pixels(plain), pixels(values)];
        const fits = (mirrored: boolean) => {
          for (let dy = -4; dy <= 4; dy++)
            for (let dx = -4; dx <= 4; dx++) {
              let isSame = true;
              for (let y = 8; y < 24 && isSame; y++)
                for (let x = 8; x < 24 && isSame; x++)
                  isSame = Math.abs(made(y, mirrored ? 31 - x : x) - own(y + dy, x + dx)) < rounding;
              if (isSame) return true;
            }
          return false;
        };
        const isMirrored = fits(true);
        expect(isMirrored || fits(false)).toBe(true);
        if (isMirrored) count++;
      }
      return count;
    };
    expect(await mirror("plus")).toBe(0);
    const count = await mirror("paper");
    expect(count).toBeGreaterThan(1);
    expect(count).toBeLessThan(10);
  });

  it("turns signs by at most 15°, and cuts pictures of ImageNet out at random", async () => {
    const signs = await datasets.gtsrb({ dataFolder: root });
    expect((await all(signs.train)).values).not.toEqual(wanted("gtsrb-train"));
    await compare("gtsrb-test", signs.test, rounding);
    const pictures = await datasets.imageNet({ dataFolder: root, size: 32 });
    const [one, two] = [await all(pictures.train, { seed: 1 }), await all(pictures.train, { seed: 2 })];
    expect(one.values).not.toEqual(two.values);
    expect([...one.targets].sort()).toEqual([...expected["imagenet-train"].targets].sort());
  });
});

describe("a set that is decoded elsewhere", () => {
  it("keeps every class's share when it is split, shows its classes' names, and leaves no tensor behind", async () => {
    const { train } = await datasets.gtsrb({ dataFolder: root });
    const before = tf.memory().numTensors;
    const [a, b] = train.split(0.5);
    const shares = async (data: datasets.ExampleSource) => {
      const { targets } = await all(data);
      return [0, 14, 42].map((label) => targets.filter((target) => target === label).length);
    };
    expect([await shares(a), await shares(b)]).toEqual([
      [2, 2, 2],
      [2, 2, 2],
    ]);
    expect(tf.memory().numTensors).toBe(before);
    const shown = await train[displaySymbol]();
    expect(shown["image/svg+xml"]).toContain(">stop<");
    expect(shown["text/plain"]).toContain("one of 43 classes");
  });

  it("has a fingerprint that follows from its files and transforms", async () => {
    const print = async (options = {}) =>
      (await datasets.cifar10({ dataFolder: root, ...options })).train.fingerprint();
    expect(await print()).toBe(await print());
    expect(await print(still)).not.toBe(await print());
    expect(await print({ seed: 1 })).not.toBe(await print());
  });

  it("ends where it is stopped", async () => {
    const { train } = await datasets.cifar10({ dataFolder: root });
    const stop = new AbortController();
    const reason = new Error("enough");
    const reading = (async () => {
      for await (const batch of train.batches(2, { signal: stop.signal })) {
        datasets.disposeBatch(batch);
        stop.abort(reason);
      }
    })();
    await expect(reading).rejects.toBe(reason);
  });
});
