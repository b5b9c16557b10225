import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { LutnnError } from "../errors";
import { abandonedBeside, claimAside, releaseAside } from "../files/aside";
import { fileError } from "../files/fileError";
import { makeFolder } from "../files/makeFolder";
import { cifarRecipe } from "./cifar10";
import { decoded } from "./decoding/decoded";
import type { ImageRecipe } from "./decoding/recipe";
import { type MatArray, matArrays, matNumbers } from "./formats/mat";
import { digestOf, openSet, type SetOptions } from "./setOptions";
import { type DataSource, userCache } from "./source";
import type { StreamedExamples } from "./streamed";

const [trainFile, testFile] = ["train_32x32.mat", "test_32x32.mat"];

/** Street View House Numbers (Netzer et al., 2011), cropped: 73,257 train and 26,032 test images of 32×32 in colour. */
export const svhnSource: DataSource = {
  name: "svhn",
  url: "http://ufldl.stanford.edu/housenumbers",
  files: [
    { name: trainFile, bytes: 182_040_794, md5: "e26dedcc434d2e4c54c9b2d4a06d8373" },
    { name: testFile, bytes: 64_275_384, md5: "eb5a983be6a315427106f1b164d9cef3" },
  ],
  folders: ["SVHN"],
};

const names = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
const side = 32;
const imageBytes = 3 * side * side;
/** Images of a file at most; the largest one published has 531,131. */
const most = 1_000_000;
/** So many times a file's own bytes its images have at most: photographs are packed by a quarter, zeros by a thousand. */
const mostPacked = 100;

/**
 * SVHN: input `image` float32 (32, 32, 3), (p/255 − mean) / deviation of each channel as for CIFAR-10; ten classes, the
 * file's label 10 being the digit 0. Training images are cut out at random after reflection by 4 pixels; profile `paper`
 * mirrors them at random too, which `plus` does not: a mirrored digit is none.
 *
 * The images of a file are unpacked once, into the user's cache.
 */
export async function svhn(
  options: SetOptions = {},
): Promise<{ train: StreamedExamples; test: StreamedExamples }> {
  const { folder, profile, augment, seed, signal } = await openSet(svhnSource, options);
  const part = async (file: string, isAugmented: boolean) => {
    const { path, labels, digest } = await unpackedSvhn(join(folder, file), signal);
    const recipe: ImageRecipe = {
      ...cifarRecipe(isAugmented, profile === "paper"),
      format: { raw: "columnMajor", side },
    };
    return decoded({
      info: {
        name: "svhn",
        size: labels.length,
        inputs: [{ name: "image", shape: [side, side, 3], dtype: "float32" }],
        target: { kind: "class", classes: names.length, names },
        labels,
        version: digestOf(JSON.stringify(recipe), String(seed), digest),
      },
      recipe,
      itemOf: (index) => ({ path, offset: index * imageBytes }),
      targetOf: (index) => labels[index],
      seed,
    });
  };
  return { train: await part(trainFile, augment), test: await part(testFile, false) };
}

/**
 * The labels of a file, and a file of its images' bytes alone, made in the user's cache where it is not there yet; that
 * one is named after the content's digest, so that it never is another file's.
 */
export async function unpackedSvhn(
  file: string,
  signal: AbortSignal,
): Promise<{ path: string; labels: Int32Array; digest: string }> {
  const digest = await digestOfFile(file, signal);
  const stem = basename(file).replace(/\.mat$/i, "");
  const path = join(userCache(), "svhn-images", `${stem}-${digest}.bytes`);
  let count: number | undefined;
  let labels: Int32Array | undefined;
  for await (const array of matArrays(file, signal)) {
    if (array.name === "X") {
      count = imagesOf(array, file);
      const { size } = await stat(file);
      if (count * imageBytes > mostPacked * size)
        throw new LutnnError(
          `${basename(file)}: the images X must take at most ${mostPacked} times the file's ${size} bytes (they claim ${count * imageBytes}); get it again`,
        );
      const found = await stat(path).catch(() => null);
      if (found?.size !== count * imageBytes) await writeImages(array, path, signal);
    } else if (array.name === "y") labels = labelsOf(await matNumbers(array, most), file);
  }
  if (count === undefined || labels?.length !== count)
    throw new LutnnError(
      `${basename(file)}: the file must have the images X and as many labels y (got ${count ?? "no"} images and ${labels?.length ?? "no"} labels); get it again`,
    );
  return { path, labels, digest };
}

function imagesOf({ dims, storage }: MatArray, file: string): number {
  const count = dims.length === 4 ? dims[3] : 1;
  const isGood =
    storage === "uint8" && dims.slice(0, 3).join() === [side, side, 3].join() && count >= 1 && count <= most;
  if (isGood) return count;
  throw new LutnnError(
    `${basename(file)}: the images X must be uint8 of ${side} × ${side} × 3 × at most ${most} (got ${storage} of ${dims.join(" × ")}); get it again`,
  );
}

function labelsOf(values: readonly number[], file: string): Int32Array {
  const wrong = values.find((value) => !Number.isInteger(value) || value < 1 || value > 10);
  if (wrong !== undefined)
    throw new LutnnError(
      `${basename(file)}: the labels y must be whole numbers from 1 to 10 (got ${wrong}); get it again`,
    );
  return Int32Array.from(values, (value) => value % 10);
}

async function writeImages(images: MatArray, path: string, signal: AbortSignal): Promise<void> {
  const aside = claimAside(path);
  try {
    await makeFolder(dirname(path));
    for (const left of await abandonedBeside(path)) await rm(left, { force: true });
    const output = await open(aside, "wx");
    try {
      for await (const part of images.bytes()) {
        signal.throwIfAborted();
        await output.appendFile(part);
      }
    } finally {
      await output.close();
    }
    await rename(aside, path);
  } catch (error) {
    await rm(aside, { force: true }).catch(() => undefined); // the first error says more
    throw fileError("svhn", path, error);
  } finally {
    releaseAside(aside);
  }
}

async function digestOfFile(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  try {
    for await (const part of createReadStream(path, { signal, highWaterMark: 1 << 20 })) hash.update(part);
  } catch (error) {
    signal.throwIfAborted();
    throw fileError("svhn", path, error);
  }
  return hash.digest("hex").slice(0, 16);
}
