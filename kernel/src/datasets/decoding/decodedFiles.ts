import { join } from "node:path";
import type { TargetSpec } from "../../tasks/target";
import type { InputSpec } from "../examples";
import type { NameTable } from "../nameTable";
import type { StreamedExamples } from "../streamed";
import { decoded } from "./decoded";
import type { Recipe } from "./recipe";

/** Files below a folder, each an example with one number to learn: its class, or its value. */
export interface FileSet {
  name: string;
  /** What the recipe makes of a file. */
  input: Pick<InputSpec, "name" | "shape">;
  target: TargetSpec;
  folder: string;
  files: NameTable;
  labels: Int32Array;
  /** Stands for all that decides what is read. */
  version: string;
  recipe: Recipe;
  /** Of what is random in the recipe. */
  seed: number;
}

/** Such files as {@link decoded} examples; of classes, every split keeps their shares. */
export const decodedFiles = (set: FileSet): StreamedExamples => {
  const { name, input, target, folder, files, labels, version, recipe, seed } = set;
  return decoded({
    info: {
      name,
      size: labels.length,
      inputs: [{ ...input, dtype: "float32" }],
      target,
      ...(target.kind === "class" ? { labels } : {}),
      version,
    },
    recipe,
    itemOf: (index) => ({ path: join(folder, files.at(index)) }),
    targetOf: (index) => labels[index],
    seed,
  });
};
