import { permutation, seededRandom } from "../../pq/random";
import { TsvRows } from "./tsvRows";

/** A sentence and the mean of what people said of it. */
export interface RatedSentence {
  text: string;
  /** From −4, bad, to 4, good. */
  rating: number;
}

/** Ratings are at most so large. */
const most = 4;

/** The lines of a ground-truth file: number, mean rating, text. `file` opens errors. */
export function ratedSentences(bytes: Buffer, file: string): RatedSentence[] {
  const rows = new TsvRows(bytes, file);
  return Array.from({ length: rows.count }, (_, row) => {
    const columns = rows.columns(row);
    const [, said, text] = columns;
    if (columns.length !== 3 || text.trim() === "")
      throw rows.fault(row, "have a number, a rating and a text", `${columns.length} columns`);
    const rating = said.trim() === "" ? Number.NaN : Number(said);
    if (!(Math.abs(rating) <= most))
      throw rows.fault(row, `have a rating from −${most} to ${most}`, JSON.stringify(said.slice(0, 80)));
    return { text, rating };
  });
}

/**
 * Two parts drawn at random by a seed: in the second as many good as bad sentences, `testSize` in all; the rest in the
 * first, in the file's order.
 */
export function balancedSplit(
  sentences: readonly RatedSentence[],
  testSize: number,
  seed: number,
): [train: RatedSentence[], test: RatedSentence[]] {
  const taken = new Set<number>();
  for (const [i, isGood] of [false, true].entries()) {
    const members = [...sentences.keys()].filter((index) => sentences[index].rating > 0 === isGood);
    const order = permutation(members.length, seededRandom(seed, "movie-snippets", isGood ? "good" : "bad"));
    const count = i === 0 ? Math.ceil(testSize / 2) : Math.floor(testSize / 2);
    for (const place of order.subarray(0, count)) taken.add(members[place]);
  }
  const part = (isTest: boolean) => sentences.filter((_, index) => taken.has(index) === isTest);
  return [part(false), part(true)];
}
