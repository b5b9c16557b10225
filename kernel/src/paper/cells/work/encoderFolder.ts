import { type DataSource, findArchives, findFolder, missing } from "../../../datasets/source";
import { LutnnError } from "../../../errors";
import { miniLm, miniLmSource } from "../../../models/bert/miniLm";

/** BERT base, whose weights a user brings. */
const bertBase: DataSource = {
  name: "bert-base-uncased",
  files: ["config.json", "model.safetensors", "vocab.txt"].map((name) => ({ name, bytes: 0 })),
  remedy: "get the three files from whoever publishes them",
};

const sourceOf = (weights: "minilm" | "bert-base-uncased"): DataSource =>
  weights === "minilm" ? { ...miniLmSource, files: [miniLmSource.file] } : bertBase;

/** Which files of a sentence encoder are missing, as a sentence; null where they are there. */
export function encoderMissing(weights: "minilm" | "bert-base-uncased"): string | null {
  const source = sourceOf(weights);
  return findFolder(source) || findArchives(source) ? null : missing(source);
}

/** The folder of an encoder's weights and vocabulary. Throws LutnnError where they are not there. */
export async function encoderFolder(
  weights: "minilm" | "bert-base-uncased",
  signal: AbortSignal,
): Promise<string> {
  if (weights === "minilm") return miniLm({ signal });
  const folder = findFolder(bertBase);
  if (folder === null) throw new LutnnError(missing(bertBase));
  return folder;
}
