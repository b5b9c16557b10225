import { LutnnError } from "../../errors";
import { seededRandom } from "../../pq/random";
import { decodeImage } from "./decodeImage";
import { decodeSound } from "./decodeSound";
import type { DecodingTask } from "./recipe";

/** The numbers of a task's items, one behind the other: float32 (items, length). */
export async function decode({
  recipe,
  items,
  seeds,
  length,
}: DecodingTask): Promise<Float32Array<ArrayBuffer>> {
  const values = new Float32Array(items.length * length);
  const one = async (item: (typeof items)[number], i: number) => {
    const made =
      recipe.kind === "image"
        ? await decodeImage(recipe, item, seededRandom(0, seeds[i]))
        : decodeSound(recipe, item);
    if (made.length !== length)
      throw new LutnnError(
        `${item.path}: the example must have ${length} numbers (got ${made.length}); leave the file out`,
      );
    values.set(made, i * length);
  };
  // Pictures are decoded by libvips' own threads, a few at a time.
  const atOnce = recipe.kind === "image" && recipe.format === "jpeg" ? 4 : 1;
  for (let from = 0; from < items.length; from += atOnce)
    await Promise.all(items.slice(from, from + atOnce).map((item, i) => one(item, from + i)));
  return values;
}
