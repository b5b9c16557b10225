import { join } from "node:path";
import { LutnnError } from "../errors";
import { cellSignal } from "../host/signal";
import type { ArrayExamples } from "./arrayExamples";
import { locatePypi, type PypiSource } from "./pypiSource";
import type { ReadOptions } from "./setOptions";
import { checkTokenizer, encodeTexts, type TextOptions } from "./text/encodeTexts";
import { balancedSplit, type RatedSentence, ratedSentences } from "./text/ratedSentences";
import { tarMember } from "./text/tarMember";

const inner = "vaderSentiment-0.5/additional_resources/hutto_ICWSM_2014.tar.gz";
const member = "hutto_ICWSM_2014/movieReviewSnippets_GroundTruth.txt";

/** Snippets of film reviews with the mean of at least 20 people's ratings (Hutto and Gilbert, 2014; MIT licence). */
export const movieSnippetsSource: PypiSource = {
  name: "movie-snippets",
  project: "vaderSentiment",
  file: {
    name: "vaderSentiment-0.5.zip",
    bytes: 2_448_964,
    sha256: "5d97c37f3ef6e24eef331122e055dbedafeb6a56abfce0608b326701116ea49a",
  },
  unpacked: { paths: [inner], bytes: 2 ** 25, entries: 100 },
  remedy: "python3 -m pip download --no-deps --no-binary :all: vaderSentiment==0.5 gets the archive",
};

export interface MovieSnippetsOptions extends TextOptions, ReadOptions {
  /** `sign`: bad or good, without those whose rating is below 0.3 in size; `rating`: the number itself. Default `sign`. */
  target?: "sign" | "rating";
  /** Examples of the test part, as many good as bad. Default 1,500. */
  testSize?: number;
  /** Of the split. Default 0. */
  seed?: number;
}

/** Sentences that nobody is sure about. */
const leastSize = 0.3;
const longestFile = 2 ** 22;

/**
 * 10,605 sentences of film reviews, rated from −4 (bad) to 4 (good), as inputs of a BERT (`tokens`, `segments`, `mask`:
 * int32 (sequenceLength), default 48), to learn their sign (10,318 of them) or their rating. They stand as in the file,
 * good ones first for the most part: `sample` or `shuffle`, where others `take`. The archive comes from `dataFolder`,
 * $LUTNN_DATA, the user's cache or, when allowed, PyPI; else LutnnError says how to get it.
 */
export async function movieSnippets(
  options: MovieSnippetsOptions,
): Promise<{ train: ArrayExamples; test: ArrayExamples }> {
  const { tokenizer, sequenceLength = 48, target = "sign", testSize = 1500, seed = 0 } = options;
  checkTokenizer("movieSnippets", tokenizer);
  if (target !== "sign" && target !== "rating")
    throw new LutnnError(`movieSnippets: target must be "sign" or "rating" (got ${JSON.stringify(target)})`);
  const signal = cellSignal(options.signal);
  const folder = await locatePypi(movieSnippetsSource, {
    dataFolder: options.dataFolder,
    download: options.download,
    signal,
  });
  const bytes = await tarMember(join(folder, inner), member, longestFile, "movieSnippets");
  const all = ratedSentences(bytes, "movieReviewSnippets_GroundTruth.txt");
  const sentences = target === "sign" ? all.filter(({ rating }) => Math.abs(rating) >= leastSize) : all;
  const rarer = Math.min(...[true, false].map((isGood) => countOf(sentences, isGood)));
  if (!Number.isInteger(testSize) || testSize < 2 || testSize >= 2 * rarer)
    throw new LutnnError(
      `movieSnippets: testSize must be an integer from 2, below ${2 * rarer} (got ${testSize})`,
    );
  const [train, test] = await Promise.all(
    balancedSplit(sentences, testSize, seed).map((part) =>
      encodeTexts(
        { name: "movie-snippets", texts: part.map(({ text }) => [text]), ...targetsOf(part, target) },
        { tokenizer, sequenceLength },
        signal,
      ),
    ),
  );
  return { train, test };
}

const countOf = (sentences: readonly RatedSentence[], isGood: boolean) =>
  sentences.filter(({ rating }) => rating > 0 === isGood).length;

const targetsOf = (sentences: readonly RatedSentence[], target: "sign" | "rating") =>
  target === "sign"
    ? {
        target: { kind: "class", classes: 2, names: ["bad", "good"] } as const,
        targets: Int32Array.from(sentences, ({ rating }) => (rating > 0 ? 1 : 0)),
      }
    : {
        target: { kind: "values", length: 1, unit: "points" } as const,
        targets: Float32Array.from(sentences, ({ rating }) => rating),
      };
