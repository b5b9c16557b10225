import type { Random } from "../../pq/random";
import type { Image } from "./image";

/** A part of a picture; outside of it the picture is reflected at its edge pixels, which are not repeated. */
export function crop(image: Image, top: number, left: number, height: number, width: number): Image {
  const { channels, pixels } = image;
  const out = new Uint8Array(height * width * channels);
  const columns = Int32Array.from({ length: width }, (_, x) => reflected(left + x, image.width) * channels);
  for (let y = 0; y < height; y++) {
    const row = reflected(top + y, image.height) * image.width * channels;
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) out[(y * width + x) * channels + c] = pixels[row + columns[x] + c];
  }
  return { height, width, channels, pixels: out };
}

function reflected(at: number, size: number): number {
  if (size === 1) return 0;
  const period = 2 * (size - 1);
  const inside = ((at % period) + period) % period;
  return inside < size ? inside : period - inside;
}

/** The middle of a picture; of two middles the one that Python's `round` takes, as torchvision does. */
export function centreCrop(image: Image, size: number): Image {
  return crop(
    image,
    roundHalfEven((image.height - size) / 2),
    roundHalfEven((image.width - size) / 2),
    size,
    size,
  );
}

const roundHalfEven = (value: number) =>
  Math.abs(value % 1) === 0.5 ? 2 * Math.round(value / 2) : Math.round(value);

/** A part at random of a picture that was made `padding` pixels larger on each side by reflection. */
export function randomCrop(image: Image, size: number, padding: number, random: Random): Image {
  const place = (length: number) => Math.floor(random() * (length + 2 * padding - size + 1)) - padding;
  const top = place(image.height);
  return crop(image, top, place(image.width), size, size);
}

/** Left and right exchanged. */
export function mirrored({ height, width, channels, pixels }: Image): Image {
  const out = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++)
        out[(y * width + x) * channels + c] = pixels[(y * width + width - 1 - x) * channels + c];
  return { height, width, channels, pixels: out };
}

/** Turned counterclockwise about its middle, the nearest pixel each, black where there was none. */
export function rotated({ height, width, channels, pixels }: Image, degrees: number): Image {
  const angle = (degrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const out = new Uint8Array(pixels.length);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const [dx, dy] = [x + 0.5 - width / 2, y + 0.5 - height / 2];
      const fromX = Math.floor(cos * dx - sin * dy + width / 2);
      const fromY = Math.floor(sin * dx + cos * dy + height / 2);
      if (fromX < 0 || fromX >= width || fromY < 0 || fromY >= height) continue;
      for (let c = 0; c < channels; c++)
        out[(y * width + x) * channels + c] = pixels[(fromY * width + fromX) * channels + c];
    }
  return { height, width, channels, pixels: out };
}
