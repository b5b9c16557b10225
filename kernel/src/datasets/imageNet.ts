import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { LutnnError } from "../errors";
import { fileError } from "../files/fileError";
import { quoted } from "../files/quoted";
import { readFileWhole } from "../files/readFile";
import { decodedFiles } from "./decoding/decodedFiles";
import type { ImageRecipe } from "./decoding/recipe";
import { NameTable } from "./nameTable";
import { digestOf, openSet, type SetOptions } from "./setOptions";
import type { DataSource } from "./source";
import type { StreamedExamples } from "./streamed";

const parts = ["train", "val"];
/** Lists that say each class's folder and words, as the sets that are handed out have them. */
const lists = ["LOC_synset_mapping.txt", "synset_words.txt", "synsets.txt"];

/** ImageNet of the challenge of 2012 (Russakovsky et al., 2015): 1,281,167 train and 50,000 validation images, 1,000 classes. */
export const imageNetSource: DataSource = {
  name: "imagenet",
  files: [],
  content: {
    isWhole: (folder) => parts.every((part) => existsSync(join(folder, part))),
    words: `folders ${parts.join(" and ")} with a folder of pictures for each class (n01440764, …)`,
  },
  folders: ["ImageNet", "ILSVRC2012", "ILSVRC/Data/CLS-LOC"],
  remedy:
    "its authors hand ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar out after a login: unpack both so",
};

export interface ImageNetOptions extends Omit<SetOptions, "profile" | "download"> {
  /** Pixels of both sides of what is cut out. Default 224; the shorter side of the picture is 8/7 of it. */
  size?: number;
}

const isPicture = (name: string) => /\.(jpe?g|png)$/i.test(name);
const isSynset = (name: string) => /^n\d{8}$/.test(name);
const mostList = 1 << 20;

/**
 * ImageNet: input `image` float32 (224, 224, 3), the shorter side at 256 pixels, the middle of it cut out, (p/255 − mean)
 * / deviation of each channel. Training images are cut out and mirrored at random. Classes are in the order of the synset
 * list beside the folders (LOC_synset_mapping.txt, synset_words.txt or synsets.txt: a line "n01440764 tench, …" each),
 * else of the folders' names.
 */
export async function imageNet(
  options: ImageNetOptions = {},
): Promise<{ train: StreamedExamples; test: StreamedExamples }> {
  const { size = 224 } = options;
  if (!Number.isInteger(size) || size < 8 || size > 1024)
    throw new LutnnError(`imagenet: size must be a whole number of pixels from 8 to 1024 (got ${size})`);
  const { folder, augment, seed, signal } = await openSet(imageNetSource, options);
  const classes = await classesOf(folder);
  const part = async (name: string, isAugmented: boolean) => {
    const list: string[] = [];
    const labels: number[] = [];
    for (const [label, { synset }] of classes.entries()) {
      signal.throwIfAborted();
      for (const file of await picturesOf(join(folder, name, synset))) {
        list.push(`${synset}/${file}`);
        labels.push(label);
      }
    }
    if (list.length === 0)
      throw new LutnnError(
        `imagenet: ${join(folder, name)} must hold a folder of pictures for each class (it holds none); sort them into such folders`,
      );
    const files = new NameTable(list);
    const classOf = Int32Array.from(labels);
    const recipe: ImageRecipe = {
      kind: "image",
      format: "jpeg",
      resize: { shorter: Math.round((size * 8) / 7) },
      crop: { size, padding: 0 },
      mirror: true,
      augment: isAugmented,
      mean: [0.485, 0.456, 0.406],
      deviation: [0.229, 0.224, 0.225],
    };
    return decodedFiles({
      name: "imagenet",
      input: { name: "image", shape: [size, size, 3] },
      target: { kind: "class", classes: classes.length, names: classes.map(({ words }) => words) },
      folder: join(folder, name),
      files,
      labels: classOf,
      version: digestOf(JSON.stringify(recipe), String(seed), files.digest(), classOf),
      recipe,
      seed,
    });
  };
  return { train: await part("train", augment), test: await part("val", false) };
}

interface SynsetClass {
  synset: string;
  /** The first of its words. */
  words: string;
}

async function classesOf(folder: string): Promise<SynsetClass[]> {
  const list = lists.map((name) => join(folder, name)).find(existsSync);
  if (list) {
    const text = await readFileWhole(list, "imagenet", mostList, "choose another");
    return parseSynsets(text.toString("utf8"), list);
  }
  const found = await readdir(join(folder, "train")).catch((error) => {
    throw fileError("imagenet", folder, error);
  });
  return found
    .filter(isSynset)
    .sort()
    .map((synset) => ({ synset, words: synset }));
}

/** Lines "n01440764 tench, Tinca tinca", or of the number alone. Throws LutnnError, opened by `name`, on others. */
export function parseSynsets(text: string, name: string): SynsetClass[] {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const seen = new Set<string>();
  const classes = lines.map((line, i) => {
    const [synset, ...rest] = line.trim().split(/\s+/);
    if (!isSynset(synset) || seen.has(synset))
      throw new LutnnError(
        `${name}: each line must be a class's number of its own and its words (got ${quoted(line)} in line ${i + 1}); correct the list`,
      );
    seen.add(synset);
    return { synset, words: rest.join(" ").split(",")[0] || synset };
  });
  if (classes.length > 0) return classes;
  throw new LutnnError(`${name}: the list must have a line for each class (it is empty); correct the list`);
}

/** Sorted; none where there is no such folder. */
async function picturesOf(folder: string): Promise<string[]> {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return [];
    throw fileError("imagenet", folder, error);
  });
  return found.filter(isPicture).sort();
}
