import { LutnnError } from "../errors";
import type { Dataset } from "./dataset";
import { digits } from "./digits";
import { fashionMnist } from "./fashionMnist";

const readers: Record<string, () => Promise<{ train: Dataset; test: Dataset }>> = {
  digits,
  "fashion-mnist": () => fashionMnist(),
  "fashion-mnist-14": () => fashionMnist({ size: 14 }),
};

/** A data set by its name: `digits`, `fashion-mnist` (28×28) or `fashion-mnist-14` (14×14). Throws LutnnError on another. */
export async function load(name: string): Promise<{ train: Dataset; test: Dataset }> {
  const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
  if (!read)
    throw new LutnnError(
      `datasets.load: the name must be one of ${Object.keys(readers).join(", ")} (got ${JSON.stringify(name)})`,
    );
  return read();
}
