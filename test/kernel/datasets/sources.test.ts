import * as lutnn from "lutnn";
import { datasets, LutnnError, tf } from "lutnn";
import { describe, expect, it } from "vitest";

const classes: datasets.TargetSpec = { kind: "class", classes: 3 };
const inputs: datasets.InputSpec[] = [{ name: "x", shape: [2], dtype: "float32" }];
const exampleAt = (index: number) => ({ inputs: { x: [index, -index] }, target: index % 3 });
const info = (size: number) => ({ name: "s", size, inputs, target: classes });

const inMemory = (size: number) =>
  new datasets.ArrayExamples({
    name: "s",
    inputs: {
      x: {
        shape: [2],
        values: Float32Array.from({ length: 2 * size }, (_, i) => (i % 2 ? -1 : 1) * (i >> 1)),
      },
    },
    target: classes,
    targets: Int32Array.from({ length: size }, (_, i) => i % 3),
  });
/** How many examples were read from a stream so far. */
const counting = (size: number, buffer?: number) => {
  const counter = { read: 0, passes: 0 };
  const data = datasets.streamed({
    ...info(size),
    buffer,
    async *read() {
      counter.passes++;
      for (let index = 0; index < size; index++) {
        counter.read++;
        yield exampleAt(index);
      }
    },
  });
  return { data, counter };
};
type Examples = datasets.ArrayExamples | datasets.StreamedExamples | datasets.MappedExamples;
const kinds: [string, (size: number) => Examples][] = [
  ["arrays", inMemory],
  ["indexed", (size) => datasets.indexed({ ...info(size), read: exampleAt })],
  ["streamed", (size) => counting(size, 4).data],
  ["mapped", (size) => inMemory(size).map((batch) => batch)],
];

/** The first number of each example, batch by batch; checks that the rest belongs to it. */
async function ids(data: datasets.ExampleSource, size = 5, options?: datasets.BatchOptions) {
  const found: number[][] = [];
  for await (const batch of data.batches(size, options)) {
    const x = batch.inputs.x.arraySync() as number[][];
    expect(batch.inputs.x.shape).toEqual([batch.size, 2]);
    expect(batch.targets.dtype).toBe("int32");
    expect([...batch.targets.dataSync()]).toEqual(x.map(([id]) => id % 3));
    expect(x.every(([id, other]) => other === -id)).toBe(true);
    found.push(x.map(([id]) => id));
    datasets.disposeBatch(batch);
  }
  return found;
}
const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

describe.each(kinds)("examples (%s)", (_kind, make) => {
  it("come in order, or shuffled by a seed, each once, and batches can be skipped", async () => {
    const data = make(17);
    const before = tf.memory().numTensors;
    expect((await ids(data)).map((batch) => batch.length)).toEqual([5, 5, 5, 2]);
    expect((await ids(data)).flat()).toEqual(upTo(17));
    const shuffled = await ids(data, 5, { seed: 1 });
    expect(shuffled.flat()).not.toEqual(upTo(17));
    expect(shuffled.flat().sort((a, b) => a - b)).toEqual(upTo(17));
    expect(await ids(data, 5, { seed: 1 })).toEqual(shuffled);
    expect(await ids(data, 5, { seed: 2 })).not.toEqual(shuffled);
    expect(await ids(data, 5, { seed: 1, first: 2 })).toEqual(shuffled.slice(2));
    expect(tf.memory().numTensors).toBe(before);
  });

  it("are taken, skipped, selected in any order and split", async () => {
    const data = make(17);
    expect((await ids(data.take(3))).flat()).toEqual([0, 1, 2]);
    expect((await ids(data.take(99))).flat()).toEqual(upTo(17));
    expect((await ids(data.skip(14))).flat()).toEqual([14, 15, 16]);
    const order = [16, 3, 3, 0, 9, 8, 7, 12];
    expect((await ids(data.select(order))).flat()).toEqual(order);
    expect((await ids(data.select(order).skip(4).select([3, 0]))).flat()).toEqual([12, 9]);
    const [first, second] = data.split(0.7, 3);
    const parts = [(await ids(first)).flat(), (await ids(second)).flat()];
    expect(parts.map((part) => part.length)).toEqual([12, 5]);
    for (const part of parts) expect(part).toEqual([...part].sort((a, b) => a - b));
    expect(parts.flat().sort((a, b) => a - b)).toEqual(upTo(17));
    expect((await ids(data.shuffle(4))).flat()).not.toEqual(upTo(17));
    const sample = (await ids(data.sample(6, 1))).flat();
    expect(sample.length).toBe(6);
    expect(sample).toEqual([...new Set(sample)].sort((a, b) => a - b));
    expect((await ids(data.sample(6, 2))).flat()).not.toEqual(sample);
  });

  it("have a fingerprint that follows from their content", async () => {
    const [a, b] = [await make(17).fingerprint(), await make(17).fingerprint()];
    expect(b).toBe(a);
    expect(await make(16).fingerprint()).not.toBe(a);
    expect(await make(17).select([1, 0, 2]).fingerprint()).not.toBe(await make(17).take(3).fingerprint());
  });

  it("refuse what they have not in one sentence", async () => {
    expect(() => make(4).select([4])).toThrow(/indices must be integers from 0 to 3 \(got 4\)/);
    expect(() => make(4).select([])).toThrow(LutnnError);
    expect(() => make(4).skip(4)).toThrow(/at least one of the 4 examples/);
    expect(() => make(4).take(0)).toThrow(/take needs an integer of at least 1 \(got 0\)/);
    expect(() => make(4).split(1)).toThrow(/both parts must be non-empty/);
    await expect(ids(make(4), 0)).rejects.toThrow(/batch size must be a positive integer \(got 0\)/);
  });
});

describe("a stream", () => {
  it("is read once for rising indices, no further than it must, and never held beyond the buffer", async () => {
    const { data, counter } = counting(1000, 10);
    await ids(data.take(7));
    expect(counter).toEqual({ read: 7, passes: 1 });
    await ids(data.select(upTo(20).map((i) => 40 - 2 * i)), 5); // falling: a pass for every ten
    expect(counter.passes).toBe(3);
  });

  it("shuffles within its buffer", async () => {
    const { data } = counting(1000, 10);
    const order = (await ids(data, 100, { seed: 1 })).flat();
    order.forEach((id, at) => {
      expect(id).toBeLessThan(at + 11); // an example cannot come before it has been read
    });
  });

  it("says when it is shorter than its size, and names the example that does not fit", async () => {
    const data = (size: number, read: () => Iterable<datasets.Example>) =>
      datasets.streamed({ ...info(size), read });
    await expect(ids(data(4, () => [exampleAt(0), exampleAt(1)]))).rejects.toThrow(
      /it ended after 2, and 3 are needed/,
    );
    const wrong = (example: datasets.Example) => ids(data(2, () => [exampleAt(0), example]));
    await expect(wrong({ inputs: { x: [1] }, target: 0 })).rejects.toThrow(
      /x of an example must have 2 numbers \(got 1 in example 1\)/,
    );
    await expect(wrong({ inputs: { y: [1] }, target: 0 })).rejects.toThrow(/\(got none in example 1\)/);
    await expect(wrong({ inputs: { x: [1, Number.NaN] }, target: 0 })).rejects.toThrow(
      /must be finite numbers \(got NaN in x of example 1\)/,
    );
    await expect(wrong({ inputs: { x: [1, 1] }, target: 3 })).rejects.toThrow(
      /targets must be integers from 0 to 2 \(got 3 in example 1\)/,
    );
    await expect(wrong({ inputs: { x: [1, 1] }, target: 0.5 })).rejects.toThrow(/\(got 0.5 in example 1\)/);
    // Masks of other numbers, and of some examples alone, were taken for what they are not.
    await expect(wrong({ inputs: { x: [1, 1] }, target: 0, mask: [1, 0] })).rejects.toThrow(
      /the mask of an example must have 2 numbers \(got none in example 0\)/,
    );
    await expect(ids(data(1, () => [{ ...exampleAt(0), mask: [1, 0.5] }]))).rejects.toThrow(
      /a mask must be 1 for real positions and 0 for padding \(got 0.5 in example 0\)/,
    );
  });

  it("refuses numbers that an integer input cannot hold, which it cut off", async () => {
    const inputs = [{ name: "x", shape: [2], dtype: "int32" as const }];
    for (const value of [0.5, Number.NaN, 2 ** 31, Number.NEGATIVE_INFINITY])
      await expect(
        ids(
          datasets.streamed({ ...info(1), inputs, read: () => [{ inputs: { x: [7, value] }, target: 0 }] }),
        ),
      ).rejects.toThrow(`must be integers of 32 bits (got ${value} in x of example 0)`);
    const whole = datasets.streamed({
      ...info(1),
      inputs,
      read: () => [{ inputs: { x: [-(2 ** 31), 2 ** 31 - 1] }, target: 0 }],
    });
    for await (const batch of whole.batches(1))
      expect([...batch.inputs.x.dataSync()]).toEqual([-(2 ** 31), 2 ** 31 - 1]);
  });

  it("trains a network, and its memory does not grow", async () => {
    const input = tf.input({ shape: [2] });
    const output = tf.layers.dense({ units: 3 }).apply(input) as tf.SymbolicTensor;
    const model = tf.model({ inputs: input, outputs: output });
    const { data } = counting(40_000, 100);
    await lutnn.fit(model, data.take(2000), { epochs: 1, learningRate: 1e-6 });
    const [tensors, bytes] = [tf.memory().numTensors, tf.memory().numBytes];
    await lutnn.fit(model, data, { epochs: 1, learningRate: 1e-6, batchSize: 500 });
    expect([tf.memory().numTensors, tf.memory().numBytes]).toEqual([tensors, bytes]);
  });
});

describe("a map", () => {
  it("follows from its seed, the order's seed and the batch, and changes inputs alone", async () => {
    const noisy = (seed?: number) =>
      inMemory(17).map(({ x }, random) => ({ x: tf.add(x, random()) }), { seed });
    const values = async (data: datasets.ExampleSource, options?: datasets.BatchOptions) => {
      const found: number[][] = [];
      for await (const batch of data.batches(5, options)) {
        found.push([...batch.inputs.x.dataSync()]);
        datasets.disposeBatch(batch);
      }
      return found;
    };
    const before = tf.memory().numTensors;
    const whole = await values(noisy(), { seed: 3 });
    expect(await values(noisy(), { seed: 3, first: 2 })).toEqual(whole.slice(2));
    expect(await values(noisy(1), { seed: 3 })).not.toEqual(whole);
    const shift = (batch: number[]) => batch[0] - Math.floor(batch[0]);
    expect(shift(whole[0])).not.toBeCloseTo(shift(whole[1]), 3);
    expect(tf.memory().numTensors).toBe(before);
    expect(await noisy(1).fingerprint()).not.toBe(await noisy(2).fingerprint());
  });

  it("may make other shapes when it says so", async () => {
    const longer = { inputs: [{ name: "x", shape: [4], dtype: "float32" as const }] };
    const twice = ({ x }: Record<string, tf.Tensor>) => ({ x: tf.concat([x, x], 1) });
    for await (const batch of inMemory(3).map(twice, longer).batches(3)) {
      expect(batch.inputs.x.shape).toEqual([3, 4]);
      datasets.disposeBatch(batch);
    }
    await expect(ids(inMemory(3).map(twice))).rejects.toThrow(
      /map must make 3×2 float32 for the input x \(got 3×4 float32\)/,
    );
  });
});

describe("examples in memory", () => {
  it("have any named, typed inputs, targets and a mask", async () => {
    const data = new datasets.ArrayExamples({
      name: "text",
      inputs: {
        ids: { shape: [3], values: Int32Array.of(5, 6, 0, 7, 0, 0) },
        weight: { shape: [], values: Float32Array.of(0.5, 2) },
      },
      target: { kind: "values", length: 2, unit: "m" },
      targets: Float32Array.of(1, 2, 3, 8),
      mask: Int32Array.of(1, 1, 0, 1, 0, 0),
    });
    expect(data.inputs).toEqual([
      { name: "ids", shape: [3], dtype: "int32" },
      { name: "weight", shape: [], dtype: "float32" },
    ]);
    // variances 1 and 9
    expect(data.target).toEqual({ kind: "values", length: 2, unit: "m", spread: Math.sqrt(5) });
    expect(data.take(1).target).toEqual(data.target);
    for await (const { inputs, targets, mask } of data.select([1]).batches(1)) {
      expect([inputs.ids.dtype, inputs.ids.arraySync()]).toEqual(["int32", [[7, 0, 0]]]);
      expect([inputs.weight.dtype, inputs.weight.arraySync()]).toEqual(["float32", [2]]);
      expect([targets.dtype, targets.arraySync()]).toEqual(["float32", [[3, 8]]]);
      expect(mask?.arraySync()).toEqual([[1, 0, 0]]);
    }
  });

  it("are found to be wrong whenever they become so", async () => {
    const data = new datasets.Dataset({
      name: "iris",
      inputShape: [4],
      numClasses: 3,
      images: new Float32Array(12),
      labels: Int32Array.of(0, 1, 2),
    });
    await data.checkValues("fit");
    data.images[6] = Number.POSITIVE_INFINITY;
    await expect(data.checkValues("fit")).rejects.toThrow(
      /^fit: the data must be finite numbers \(got Infinity in image of example 1 of iris\); correct the data or leave that example out$/,
    );
    data.images[6] = 0;
    data.labels[2] = 3;
    await expect(data.checkValues("fit")).rejects.toThrow(
      /targets must be integers from 0 to 2 \(got 3 in example 2 of iris\)/,
    );
  });

  it("refuse arrays that do not belong together", async () => {
    const given = { name: "d", inputShape: [4], numClasses: 2, images: new Float32Array(8) };
    const labels = Float32Array.of(0, 1);
    expect(() => Reflect.construct(datasets.Dataset, [{ ...given, labels }])).toThrow(
      /d: targets must be an Int32Array \(got Float32Array\)/,
    );
    const make = (mask: number[], targets = [0, 1, 1]) =>
      new datasets.ArrayExamples({
        name: "d",
        inputs: {},
        target: { kind: "labels", count: 3 },
        targets: Float32Array.from(targets),
        mask: Int32Array.from(mask),
      });
    expect(() => make([])).toThrow(/d: mask must hold/);
    expect(() => make([1], [0, 1])).toThrow(/d: targets must hold 3 numbers an example \(got 2 numbers\)/);
    expect(make([1, 1, 0]).size).toBe(1);
    await expect(make([1, 2, 0]).checkValues("fit")).rejects.toThrow(
      /a mask must be 1 for real positions and 0 for padding \(got 2 in example 0\)/,
    );
  });
});
