import type { Random } from "../../pq/random";
import { decodeJpeg } from "../formats/jpeg";
import { parsePpm } from "../formats/ppm";
import { imageOfRaw } from "../formats/rawImage";
import { centreCrop, mirrored, randomCrop, rotated } from "./augment";
import { recordOf, smallFile } from "./bytesOf";
import { type Image, normalised } from "./image";
import type { ImageRecipe, Item } from "./recipe";
import { resize, resizeShorter } from "./resize";

/** A picture's file has at most so many bytes. */
const limit = 64 << 20;

/** The numbers of one picture: float32 (height, width, channels). */
export async function decodeImage(recipe: ImageRecipe, item: Item, random: Random): Promise<Float32Array> {
  let image = await readImage(recipe, item);
  const { resize: size, crop, rotate, mirror, augment, mean, deviation } = recipe;
  if (typeof size === "number") image = resize(image, size, size);
  else if (size) image = resizeShorter(image, size.shorter);
  if (crop)
    image = augment ? randomCrop(image, crop.size, crop.padding, random) : centreCrop(image, crop.size);
  if (augment && rotate) image = rotated(image, (2 * random() - 1) * rotate);
  if (augment && mirror && random() < 0.5) image = mirrored(image);
  return normalised(image, mean, deviation);
}

async function readImage({ format }: ImageRecipe, { path, offset = 0 }: Item): Promise<Image> {
  if (typeof format === "object")
    return imageOfRaw(recordOf(path, offset, 3 * format.side ** 2), format.raw, format.side);
  const bytes = smallFile(path, limit);
  return format === "ppm" ? parsePpm(bytes, path) : decodeJpeg(bytes, path);
}
