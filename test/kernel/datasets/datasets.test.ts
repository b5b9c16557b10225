import { datasets, LutnnError } from "lutnn";
import { describe, expect, it } from "vitest";

const arrays = (labels: number[]) => ({
  name: "few",
  inputShape: [1, 2, 1] as [number, number, number],
  numClasses: 3,
  images: Float32Array.from(labels.flatMap((label, n) => [n, label])),
  labels: Int32Array.from(labels),
});

describe("digits", () => {
  it("has 1,437 train and 360 test images, stratified, pixels from 0 to 1", async () => {
    const { train, test } = await datasets.digits();
    expect([train.size, test.size]).toEqual([1437, 360]);
    const share = (data: datasets.Dataset, digit: number) =>
      data.labels.filter((label) => label === digit).length / data.size;
    for (let digit = 0; digit < 10; digit++)
      expect(Math.abs(share(train, digit) - share(test, digit))).toBeLessThan(0.004);
    expect(train.images.reduce((a, b) => Math.max(a, b))).toBe(1);
    expect(train.images.reduce((a, b) => Math.min(a, b))).toBe(0);
  });

  it("is the same split every time, and no image is in both parts", async () => {
    const [a, b] = [await datasets.digits(), await datasets.digits()];
    expect(a.test.images).toEqual(b.test.images);
    const key = (data: datasets.Dataset, n: number) => data.images.slice(n * 64, n * 64 + 64).join();
    const inTrain = new Set(Array.from({ length: 1437 }, (_, n) => key(a.train, n)));
    const shared = Array.from({ length: 360 }, (_, n) => key(a.test, n)).filter((image) =>
      inTrain.has(image),
    );
    expect(shared).toEqual([]);
  });
});

describe("a data set", () => {
  it("gives batches in order or shuffled, each image once", async () => {
    const data = new datasets.Dataset(arrays([0, 1, 2, 0, 1, 2, 0]));
    const ids = async (options?: datasets.BatchOptions) => {
      const found: number[][] = [];
      for await (const batch of data.batches(3, options)) {
        found.push([...batch.inputs.image.dataSync()].filter((_, i) => i % 2 === 0));
        datasets.disposeBatch(batch);
      }
      return found;
    };
    expect(await ids()).toEqual([[0, 1, 2], [3, 4, 5], [6]]);
    const shuffled = await ids({ seed: 1 });
    expect(shuffled.flat().sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(await ids({ seed: 1 })).toEqual(shuffled);
    expect(await ids({ seed: 2 })).not.toEqual(shuffled);
    expect(await ids({ seed: 1, first: 1 })).toEqual(shuffled.slice(1));
  });

  it("splits every class by the same share", () => {
    const data = new datasets.Dataset(arrays(Array.from({ length: 90 }, (_, n) => n % 3)));
    const [first, second] = data.split(0.8, 7);
    expect([first.size, second.size]).toEqual([72, 18]);
    for (const label of [0, 1, 2]) expect([...second.labels].filter((l) => l === label)).toHaveLength(6);
    expect([...first.images, ...second.images].filter((_, i) => i % 2 === 0).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 90 }, (_, n) => n),
    );
  });

  it.each([
    [() => new datasets.Dataset(arrays([])), /at least one example is needed/],
    [
      () => new datasets.Dataset({ ...arrays([1, 2]), images: new Float32Array(3) }),
      /size × 2 numbers \(got 3 for 2 examples\)/,
    ],
    [
      () => new datasets.Dataset(arrays([1, 2])).select([2]),
      /indices must be integers from 0 to 1 \(got 2\)/,
    ],
    [() => new datasets.Dataset(arrays([1, 2])).split(1), /both parts must be non-empty/],
  ])("refuses what does not fit in one sentence (%#)", (attempt, message) => {
    expect(attempt).toThrow(LutnnError);
    expect(attempt).toThrow(message);
  });

  it("are found by name, or the names there are listed", async () => {
    expect((await datasets.load("digits")).test.size).toBe(360);
    await expect(datasets.load("toString" as "digits")).rejects.toThrow(
      /one of cifar-10, diabetes, digits, .*, utkface-classes \(got "toString"\)/,
    );
  });
});
