import { existsSync, readdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { LutnnError } from "../errors";
import { fileError } from "../files/fileError";
import { quoted } from "../files/quoted";
import { permutation, seededRandom } from "../pq/random";
import type { TargetSpec } from "../tasks/target";
import { decodedFiles } from "./decoding/decodedFiles";
import type { ImageRecipe } from "./decoding/recipe";
import { NameTable } from "./nameTable";
import { digestOf, openSet, type SetOptions } from "./setOptions";
import type { DataSource } from "./source";
import type { StreamedExamples } from "./streamed";

const isPicture = (name: string) => /\.jpe?g$/i.test(name);

/** UTKFace (Zhang, Song and Qi, 2017), aligned and cropped: 23,708 faces of people from 0 to 116 years. */
export const utkFaceSource: DataSource = {
  name: "utkface",
  files: [],
  content: {
    isWhole: (folder) =>
      existsSync(folder) && readdirSync(folder).some((name) => /^\d{1,3}_.*\.jpe?g$/i.test(name)),
    words: "a folder of pictures whose names begin with the age (25_1_0_….jpg)",
  },
  folders: ["UTKFace", "crop_part1"],
  remedy: 'its authors hand it out for research: look for "UTKFace", "Aligned&Cropped Faces"',
};

export interface UtkFaceOptions extends Omit<SetOptions, "augment" | "profile" | "download"> {
  /** A number of years, or one of the years 0 to 116 as a class. Default "regression". */
  task?: "regression" | "classification";
  /** Pixels of both sides. Default 200, as the faces are cut out. */
  size?: number;
}

const oldest = 116;
/** As many examples of five are for training, chosen by this seed. */
const [share, splitSeed] = [0.8, 10_086];

/**
 * UTKFace: input `image` float32 (size, size, 3), (p/255 − mean) / deviation of each channel; the target is the age, the
 * number before the first `_` of the file's name. Files are sorted by name and shuffled by the paper's seed, four of five
 * for training; the paper's own split follows from the order of its file system and cannot be had again.
 */
export async function utkFace(
  options: UtkFaceOptions = {},
): Promise<{ train: StreamedExamples; test: StreamedExamples }> {
  const { task = "regression", size = 200 } = options;
  if (task !== "regression" && task !== "classification")
    throw new LutnnError(`utkface: task must be "regression" or "classification" (got ${quoted(task)})`);
  if (!Number.isInteger(size) || size < 8 || size > 1024)
    throw new LutnnError(`utkface: size must be a whole number of pixels from 8 to 1024 (got ${size})`);
  const { folder, seed } = await openSet(utkFaceSource, options);
  const found = await readdir(folder).catch((error) => {
    throw fileError("utkface", folder, error);
  });
  const files = found.filter(isPicture).sort();
  const ages = Int32Array.from(files, ageOf);
  const target: TargetSpec =
    task === "regression"
      ? { kind: "values", length: 1, unit: "years", ...spreadOf(ages) }
      : {
          kind: "class",
          classes: oldest + 1,
          names: Array.from({ length: oldest + 1 }, (_, age) => `${age} years`),
        };
  const recipe: ImageRecipe = {
    kind: "image",
    format: "jpeg",
    resize: size,
    augment: false,
    mean: [0.5961, 0.4561, 0.3903],
    deviation: [0.2592, 0.2312, 0.2268],
  };
  const names = new NameTable(files);
  const all = decodedFiles({
    name: "utkface",
    input: { name: "image", shape: [size, size, 3] },
    target,
    folder,
    files: names,
    labels: ages,
    version: digestOf(JSON.stringify([recipe, task]), names.digest()),
    recipe,
    seed,
  });
  const order = permutation(files.length, seededRandom(splitSeed, "utkface", "split"));
  const trained = Math.floor(share * files.length);
  return { train: all.select(order.slice(0, trained)), test: all.select(order.slice(trained)) };
}

/** Years, of the name of a file. */
export function ageOf(file: string): number {
  const years = /^(\d{1,3})_/.exec(file)?.[1];
  if (years !== undefined && Number(years) <= oldest) return Number(years);
  throw new LutnnError(
    `utkface: each picture's name must begin with an age from 0 to ${oldest} and "_" (got ${quoted(file)}); rename it or take it out of the folder`,
  );
}

function spreadOf(values: Int32Array): { spread?: number } {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const spread = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0));
  return spread > 0 ? { spread } : {};
}
