import { LutnnError } from "../../errors";
import { yieldToEvents } from "../../host/signal";
import type { TargetSpec } from "../../tasks/target";
import { ArrayExamples } from "../arrayExamples";
import type { InputSpec } from "../examples";
import type { WordPiece } from "./wordPiece";

/** What every reader of texts takes. */
export interface TextOptions {
  /** Splits the texts: that of the network that they are for. */
  tokenizer: WordPiece;
  /** Tokens of an example, padding included. */
  sequenceLength?: number;
}

/** Texts that are split at once. */
const atOnce = 64;

/** The inputs of a BERT. */
export const textInputs = (sequenceLength: number): InputSpec[] =>
  ["tokens", "segments", "mask"].map((name) => ({ name, shape: [sequenceLength], dtype: "int32" }));

/** Throws LutnnError where a reader was given no tokenizer; `what` opens the sentence. */
export function checkTokenizer(
  what: string,
  tokenizer: WordPiece | undefined,
): asserts tokenizer is WordPiece {
  if (tokenizer) return;
  throw new LutnnError(
    `${what}: a tokenizer must be given, as texts become numbers by a network's own vocabulary (got none); pass { tokenizer: await lutnn.datasets.wordPiece("vocab.txt") }`,
  );
}

/**
 * Texts as the inputs of a BERT, `tokens`, `segments` and `mask`, with what is to be learnt of each; the mask is the
 * examples' own too, so that padding enters no codebook, fit or error.
 */
export async function encodeTexts(
  { name, texts, target, targets }: TextsToEncode,
  { tokenizer, sequenceLength }: Required<TextOptions>,
  signal: AbortSignal,
): Promise<ArrayExamples> {
  checkTokenizer(name, tokenizer);
  const make = () => new Int32Array(texts.length * sequenceLength);
  const arrays = { tokens: make(), segments: make(), mask: make() };
  for (const [i, [text, pair]] of texts.entries()) {
    const encoded = tokenizer.encode(text, sequenceLength, pair);
    for (const input of ["tokens", "segments", "mask"] as const)
      arrays[input].set(encoded[input], i * sequenceLength);
    if (i % atOnce === atOnce - 1) await yieldToEvents(signal);
  }
  const inputs = Object.fromEntries(
    textInputs(sequenceLength).map(({ name: input, shape }) => [
      input,
      { shape, values: arrays[input as keyof typeof arrays] },
    ]),
  );
  return new ArrayExamples({ name, inputs, target, targets, mask: arrays.mask });
}

export interface TextsToEncode {
  name: string;
  /** One text an example, or two that belong together. */
  texts: readonly (readonly [string, string?])[];
  target: TargetSpec;
  /** (size) for classes, else (size, length); int32 for classes, else float32. */
  targets: Int32Array | Float32Array;
}
