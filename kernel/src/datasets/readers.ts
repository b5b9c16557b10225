import { LutnnError } from "../errors";
import { cifar10 } from "./cifar10";
import { diabetes } from "./diabetes";
import { digits } from "./digits";
import type { ExampleSource } from "./examples";
import { fashionMnist } from "./fashionMnist";
import { glue } from "./glue";
import { gtsrb } from "./gtsrb";
import { imageNet } from "./imageNet";
import { movieSnippets } from "./movieSnippets";
import type { ReadOptions, SetOptions } from "./setOptions";
import { speechCommands } from "./speechCommands";
import { svhn } from "./svhn";
import type { TextOptions } from "./text/encodeTexts";
import { utkFace } from "./utkFace";

export { cifar10, cifar10Source } from "./cifar10";
export { diabetes } from "./diabetes";
export { digits } from "./digits";
export { type FashionMnistOptions, fashionMnist, fashionMnistSource } from "./fashionMnist";
export { type GlueOptions, glue } from "./glue";
export { gtsrb, gtsrbSource } from "./gtsrb";
export { type ImageNetOptions, imageNet, imageNetSource } from "./imageNet";
export { type MovieSnippetsOptions, movieSnippets, movieSnippetsSource } from "./movieSnippets";
export type { ReadOptions, SetOptions } from "./setOptions";
export { speechCommands, speechCommandsSource } from "./speechCommands";
export { svhn, svhnSource } from "./svhn";
export type { TextOptions } from "./text/encodeTexts";
export { type EncodedText, WordPiece, type WordPieceOptions, wordPiece } from "./text/wordPiece";
export { type UtkFaceOptions, utkFace, utkFaceSource } from "./utkFace";

/** What every reader takes; those of texts need a tokenizer. */
export type LoadOptions = SetOptions & Partial<TextOptions>;
/** That there is one is checked by the reader. */
type TextLoadOptions = SetOptions & TextOptions;

/** The data sets there are, by name; a new one is a file with its reader and a line here. */
const readers = {
  "cifar-10": (options: SetOptions) => cifar10(options),
  diabetes: () => diabetes(),
  digits: () => digits(),
  "fashion-mnist": (options: ReadOptions) => fashionMnist(options),
  "fashion-mnist-14": (options: ReadOptions) => fashionMnist({ ...options, size: 14 }),
  gtsrb: (options: SetOptions) => gtsrb(options),
  imagenet: (options: SetOptions) => imageNet(options),
  "movie-ratings": (options: TextLoadOptions) => movieSnippets({ ...options, target: "rating" }),
  "movie-snippets": (options: TextLoadOptions) => movieSnippets(options),
  qnli: (options: TextLoadOptions) => glue("qnli", options),
  qqp: (options: TextLoadOptions) => glue("qqp", options),
  rte: (options: TextLoadOptions) => glue("rte", options),
  "sst-2": (options: TextLoadOptions) => glue("sst-2", options),
  "speech-commands": (options: SetOptions) => speechCommands(options),
  svhn: (options: SetOptions) => svhn(options),
  utkface: (options: SetOptions) => utkFace(options),
  "utkface-classes": (options: SetOptions) => utkFace({ ...options, task: "classification" }),
} satisfies Record<
  string,
  (options: TextLoadOptions) => Promise<{ train: ExampleSource; test: ExampleSource }>
>;

export type DatasetName = keyof typeof readers;

/** The names of the data sets that {@link load} knows. */
export const names = Object.keys(readers) as DatasetName[];

/** A data set by its name. Throws LutnnError on another. */
export async function load<Name extends DatasetName>(
  name: Name,
  options: LoadOptions = {},
): Promise<Awaited<ReturnType<(typeof readers)[Name]>>> {
  if (!Object.hasOwn(readers, name))
    throw new LutnnError(
      `datasets.load: the name must be one of ${names.join(", ")} (got ${JSON.stringify(name)})`,
    );
  const read = readers[name] as (options: LoadOptions) => ReturnType<(typeof readers)[Name]>;
  return await read(options);
}
