import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { LutnnError } from "../errors";
import { fileError } from "../files/fileError";
import { quoted } from "../files/quoted";
import { readFileWhole } from "../files/readFile";
import { decodedFiles } from "./decoding/decodedFiles";
import type { ImageRecipe } from "./decoding/recipe";
import { parseTable } from "./formats/csv";
import { NameTable } from "./nameTable";
import { digestOf, openSet, type SetOptions } from "./setOptions";
import type { DataSource } from "./source";
import type { StreamedExamples } from "./streamed";

const [trainFolder, testFolder, testTable] = [
  "GTSRB/Training",
  "GTSRB/Final_Test/Images",
  "GT-final_test.csv",
];

/** German Traffic Sign Recognition Benchmark (Stallkamp et al., 2011): 26,640 train and 12,630 test images in colour. */
export const gtsrbSource: DataSource = {
  name: "gtsrb",
  url: "https://sid.erda.dk/public/archives/daaeac0d7ce1152aea9b61d9f1e19370",
  files: [
    { name: "GTSRB-Training_fixed.zip", bytes: 187_490_228, md5: "513f3c79a4c5141765e10e952eaa2478" },
    { name: "GTSRB_Final_Test_Images.zip", bytes: 88_978_620, md5: "c7e4e6327067d32654124b0fe9e82185" },
    { name: "GTSRB_Final_Test_GT.zip", bytes: 99_620, md5: "fe31e9c9270bbcd7b84b7f21a9d9d9e5" },
  ],
  unpacked: { paths: [trainFolder, testFolder, testTable], bytes: 2_000_000_000, entries: 100_000 },
};

const names = [
  ...["speed limit 20", "speed limit 30", "speed limit 50", "speed limit 60", "speed limit 70"],
  ...["speed limit 80", "end of speed limit 80", "speed limit 100", "speed limit 120", "no passing"],
  ...["no passing for lorries", "right of way at the next crossing", "priority road", "give way", "stop"],
  ...["no vehicles", "no lorries", "no entry", "general caution", "dangerous curve left"],
  ...["dangerous curve right", "double curve", "bumpy road", "slippery road", "road narrows on the right"],
  ...["road works", "traffic signals", "pedestrians", "children crossing", "bicycles crossing"],
  ...["ice and snow", "wild animals", "end of all limits", "turn right ahead", "turn left ahead"],
  ...["ahead only", "straight or right", "straight or left", "keep right", "keep left"],
  ...["roundabout", "end of no passing", "end of no passing for lorries"],
];
const side = 32;
const mostTable = 16 << 20;

/**
 * GTSRB: input `image` float32 (32, 32, 3), the picture at 32×32, (p/255 − mean) / deviation of each channel; 43
 * classes. Training images are turned at random by up to 15° to either side.
 */
export async function gtsrb(
  options: SetOptions = {},
): Promise<{ train: StreamedExamples; test: StreamedExamples }> {
  const { folder, augment, seed } = await openSet(gtsrbSource, options);
  const train = await trainExamples(join(folder, trainFolder));
  const test = await tableExamples(join(folder, testTable), "", null);
  const part = (examples: readonly SignExample[], root: string, isAugmented: boolean) => {
    const labels = Int32Array.from(examples, ({ label }) => label);
    const files = new NameTable(examples.map(({ file }) => file));
    const recipe: ImageRecipe = {
      kind: "image",
      format: "ppm",
      resize: side,
      rotate: 15,
      augment: isAugmented,
      mean: [0.3337, 0.3064, 0.3171],
      deviation: [0.2672, 0.2564, 0.2629],
    };
    return decodedFiles({
      name: "gtsrb",
      input: { name: "image", shape: [side, side, 3] },
      target: { kind: "class", classes: names.length, names },
      folder: root,
      files,
      labels,
      version: digestOf(JSON.stringify(recipe), String(seed), files.digest(), labels),
      recipe,
      seed,
    });
  };
  return {
    train: part(train, join(folder, trainFolder), augment),
    test: part(test, join(folder, testFolder), false),
  };
}

interface SignExample {
  /** Below the folder of the part. */
  file: string;
  label: number;
}

/** Each class has a folder of five digits with a table of its own. */
async function trainExamples(folder: string): Promise<SignExample[]> {
  const found = await readdir(folder).catch((error) => {
    throw fileError("gtsrb", folder, error);
  });
  const classes = found.filter((name) => /^\d{5}$/.test(name)).sort();
  const all = await Promise.all(
    classes.map((name) => tableExamples(join(folder, name, `GT-${name}.csv`), `${name}/`, Number(name))),
  );
  if (all.flat().length > 0) return all.flat();
  throw new LutnnError(
    `gtsrb: ${folder} must hold a folder for each class with its table (it holds none); get the set again`,
  );
}

/** The rows of a table; all of one class where that is given. */
export async function tableExamples(
  path: string,
  prefix: string,
  only: number | null,
): Promise<SignExample[]> {
  const text = (await readFileWhole(path, "gtsrb", mostTable, "get it again")).toString("utf8");
  return parseTable(text, path, ";", ["Filename", "ClassId"]).map(({ Filename: file, ClassId: id }, row) => {
    const label = /^\d{1,2}$/.test(id) ? Number(id) : Number.NaN;
    const isGood = label < names.length && (only === null || label === only);
    if (/^[\w-]+\.ppm$/.test(file) && isGood) return { file: prefix + file, label };
    throw new LutnnError(
      `${path}: each row must name a picture and its class, ${only ?? `0 to ${names.length - 1}`} (got ${quoted([file, id])} in line ${row + 2}); get it again`,
    );
  });
}
