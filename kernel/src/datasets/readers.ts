import { LutnnError } from "../errors";
import { diabetes } from "./diabetes";
import { digits } from "./digits";
import type { ExampleSource } from "./examples";
import { fashionMnist } from "./fashionMnist";

export { diabetes } from "./diabetes";
export { digits } from "./digits";
export { type FashionMnistOptions, fashionMnist, fashionMnistSource } from "./fashionMnist";
export { type GlueOptions, glue } from "./glue";
export { type MovieSnippetsOptions, movieSnippets, movieSnippetsSource } from "./movieSnippets";
export { type EncodedText, WordPiece, type WordPieceOptions, wordPiece } from "./text/wordPiece";

/** What every reader takes; those of embedded sets need none of it. */
export interface ReadOptions {
  /** Folder that holds the files. Default: $LUTNN_DATA, the user's cache, the system's package. */
  dataFolder?: string;
  /** Fetch the files when they are nowhere. Default false. */
  download?: boolean;
  signal?: AbortSignal;
}

/** The data sets there are, by name; a new one is a file with its reader and a line here. */
const readers = {
  diabetes: () => diabetes(),
  digits: () => digits(),
  "fashion-mnist": (options: ReadOptions) => fashionMnist(options),
  "fashion-mnist-14": (options: ReadOptions) => fashionMnist({ ...options, size: 14 }),
} satisfies Record<string, (options: ReadOptions) => Promise<{ train: ExampleSource; test: ExampleSource }>>;

export type DatasetName = keyof typeof readers;

/** The names of the data sets that {@link load} knows. */
export const names = Object.keys(readers) as DatasetName[];

/** A data set by its name. Throws LutnnError on another. */
export async function load<Name extends DatasetName>(
  name: Name,
  options: ReadOptions = {},
): Promise<Awaited<ReturnType<(typeof readers)[Name]>>> {
  if (!Object.hasOwn(readers, name))
    throw new LutnnError(
      `datasets.load: the name must be one of ${names.join(", ")} (got ${JSON.stringify(name)})`,
    );
  const read = readers[name] as (options: ReadOptions) => ReturnType<(typeof readers)[Name]>;
  return await read(options);
}
