import { createReadStream } from "node:fs";
import { join } from "node:path";
import { LutnnError } from "../errors";
import { fileError } from "../files/fileError";
import { decoded } from "./decoding/decoded";
import type { ImageRecipe } from "./decoding/recipe";
import { digestOf, openSet, type SetOptions } from "./setOptions";
import type { DataSource } from "./source";
import type { StreamedExamples } from "./streamed";

const folderInside = "cifar-10-batches-bin";
const trainFiles = [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`);
const testFiles = ["test_batch.bin"];

/** CIFAR-10 (Krizhevsky, 2009), the version for C programs: 50,000 train and 10,000 test images of 32×32 in colour. */
export const cifar10Source: DataSource = {
  name: "cifar-10",
  url: "https://www.cs.toronto.edu/~kriz",
  files: [
    {
      name: "cifar-10-binary.tar.gz",
      bytes: 170_052_171,
      sha256: "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    },
  ],
  unpacked: {
    paths: [...trainFiles, ...testFiles].map((name) => `${folderInside}/${name}`),
    bytes: 200_000_000,
    entries: 100,
  },
  folders: ["cifar10"],
};

const names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const side = 32;
/** The label, then the picture's bytes. */
const recordBytes = 1 + 3 * side * side;

/** The transform that the paper has for CIFAR-10 and SVHN. */
export const cifarRecipe = (augment: boolean, mirror: boolean): Omit<ImageRecipe, "format"> => ({
  kind: "image",
  crop: { size: side, padding: 4 },
  mirror,
  augment,
  mean: [0.4914, 0.4822, 0.4465],
  deviation: [0.2023, 0.1994, 0.201],
});

/**
 * CIFAR-10: input `image` float32 (32, 32, 3), (p/255 − mean) / deviation of each channel; ten classes. Training images
 * are cut out at random after reflection by 4 pixels, and mirrored at random.
 */
export async function cifar10(
  options: SetOptions = {},
): Promise<{ train: StreamedExamples; test: StreamedExamples }> {
  const { folder, augment, seed, signal } = await openSet(cifar10Source, options);
  const part = async (files: readonly string[], isAugmented: boolean) => {
    const paths = files.map((name) => join(folder, folderInside, name));
    const read = await Promise.all(paths.map((path) => labelsOf(path, signal)));
    const labels = Int32Array.from(read.flatMap((own) => [...own]));
    const places = read.flatMap((own, file) =>
      Array.from(own, (_, n) => ({ path: paths[file], offset: n * recordBytes + 1 })),
    );
    const recipe: ImageRecipe = {
      ...cifarRecipe(isAugmented, true),
      format: { raw: "planar", side },
    };
    return decoded({
      info: {
        name: "cifar-10",
        size: labels.length,
        inputs: [{ name: "image", shape: [side, side, 3], dtype: "float32" }],
        target: { kind: "class", classes: names.length, names },
        labels,
        version: digestOf(JSON.stringify(recipe), String(seed), labels),
      },
      recipe,
      itemOf: (index) => places[index],
      targetOf: (index) => labels[index],
      seed,
    });
  };
  return { train: await part(trainFiles, augment), test: await part(testFiles, false) };
}

/** The label of each record of a file. Throws LutnnError where it is not whole records of ten classes. */
export async function labelsOf(path: string, signal: AbortSignal): Promise<Uint8Array> {
  const labels: number[] = [];
  let at = 0;
  try {
    for await (const part of createReadStream(path, {
      signal,
      highWaterMark: 1 << 20,
    }) as AsyncIterable<Buffer>) {
      const first = (recordBytes - (at % recordBytes)) % recordBytes;
      for (let i = first; i < part.length; i += recordBytes) {
        if (part[i] >= names.length)
          throw new LutnnError(
            `${path}: each label must be from 0 to ${names.length - 1} (got ${part[i]} in record ${labels.length}); it is damaged, get it again`,
          );
        labels.push(part[i]);
      }
      at += part.length;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw fileError("cifar-10", path, error);
  }
  if (at === 0 || at % recordBytes !== 0)
    throw new LutnnError(
      `${path}: the file must hold whole records of ${recordBytes} bytes (got ${at}); it was cut off, get it again`,
    );
  return Uint8Array.from(labels);
}
