import { cifar10Source } from "../../../datasets/cifar10";
import type { ExampleSource } from "../../../datasets/examples";
import { fashionMnistSource } from "../../../datasets/fashionMnist";
import { gtsrbSource } from "../../../datasets/gtsrb";
import { imageNetSource } from "../../../datasets/imageNet";
import { movieSnippetsSource } from "../../../datasets/movieSnippets";
import { type DatasetName, load } from "../../../datasets/readers";
import { type DataSource, findArchives, findFolder, missing } from "../../../datasets/source";
import { speechCommandsSource } from "../../../datasets/speechCommands";
import { svhnSource } from "../../../datasets/svhn";
import { wordPiece } from "../../../datasets/text/wordPiece";
import { utkFaceSource } from "../../../datasets/utkFace";
import { sampleIndices, seededRandom } from "../../../pq/random";
import type { CellOf, DataChoice } from "../cell";
import { encoderFolder } from "./encoderFolder";

const pypi = ({ file, project: _project, ...source }: typeof movieSnippetsSource): DataSource => ({
  ...source,
  files: [file],
});

/** What the sets of the tables are read from; embedded ones and those that only their own reader finds are not here. */
const sources: Readonly<Record<string, DataSource>> = {
  "cifar-10": cifar10Source,
  "fashion-mnist": fashionMnistSource,
  "fashion-mnist-14": fashionMnistSource,
  gtsrb: gtsrbSource,
  imagenet: imageNetSource,
  "movie-ratings": pypi(movieSnippetsSource),
  "movie-snippets": pypi(movieSnippetsSource),
  "speech-commands": speechCommandsSource,
  svhn: svhnSource,
  utkface: utkFaceSource,
};

/** Which files of a data set are missing and how to get them, as a sentence; null where all are there, or only reading tells. */
export function dataMissing({ set }: DataChoice): string | null {
  const source = sources[set];
  return source && !findFolder(source) && !findArchives(source) ? missing(source) : null;
}

/** `count` examples drawn at random, in their order; all for null or where there are no more. */
export function drawnExamples(
  source: ExampleSource,
  count: number | null,
  seed: number,
  part: string,
): ExampleSource {
  if (count === null || count >= source.size) return source;
  return source.select(sampleIndices(source.size, count, seededRandom(seed, source.name, part)));
}

/** Training and test examples of a dense cell's data. Throws LutnnError where the set's files are not there. */
export async function loadData(
  { data, network }: CellOf<"dense">,
  signal: AbortSignal,
): Promise<{ train: ExampleSource; test: ExampleSource }> {
  const { set, transforms, seed, sequenceLength } = data;
  const text =
    network.kind === "encoder"
      ? { tokenizer: await wordPiece(await encoderFolder(network.weights, signal)), sequenceLength }
      : {};
  const { train, test } = await load(set as DatasetName, { profile: transforms, seed, signal, ...text });
  return {
    train: drawnExamples(train, data.train, seed, "train"),
    test: drawnExamples(test, data.test, seed, "test"),
  };
}
