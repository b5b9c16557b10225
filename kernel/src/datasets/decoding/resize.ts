import type { Image } from "./image";

/** Fixed-point weights have so many bits behind the point, as Pillow's have for bytes. */
const bits = 22;

/** For each output position: the first input, and the weights of that and the next ones, which sum to 2²². */
interface Weights {
  first: Int32Array;
  count: number;
  weights: Int32Array;
}

/**
 * Triangle filter of the output's width where the picture becomes smaller, of one input's width where it becomes larger
 * (linear interpolation with antialiasing).
 */
function weightsOf(input: number, output: number): Weights {
  const scale = input / output;
  const width = Math.max(scale, 1);
  const count = Math.ceil(width) * 2 + 1;
  const first = new Int32Array(output);
  const weights = new Int32Array(output * count);
  for (let at = 0; at < output; at++) {
    const centre = (at + 0.5) * scale;
    const from = Math.max(0, Math.trunc(centre - width + 0.5));
    const to = Math.min(input, Math.trunc(centre + width + 0.5));
    const own = Array.from({ length: to - from }, (_, i) =>
      Math.max(0, 1 - Math.abs((from + i - centre + 0.5) * (1 / width))),
    );
    const sum = own.reduce((total, weight) => total + weight, 0);
    first[at] = from;
    for (let i = 0; i < own.length; i++)
      weights[at * count + i] = Math.trunc((own[i] / sum) * 2 ** bits + 0.5);
  }
  return { first, count, weights };
}

/**
 * A picture of another size by linear interpolation with antialiasing, rows before columns, each rounded to bytes: the
 * same bytes as `Image.resize(…, BILINEAR)` of Pillow until version 12, which torchvision's transforms rest on (later ones
 * take the cheaper order, which differs by a level here and there).
 */
export function resize(image: Image, height: number, width: number): Image {
  return resizeAxis(resizeAxis(image, "width", width), "height", height);
}

function resizeAxis(image: Image, axis: "width" | "height", size: number): Image {
  if (image[axis] === size) return image;
  const { channels, pixels } = image;
  const made = { ...image, [axis]: size, pixels: new Uint8Array((pixels.length / image[axis]) * size) };
  const { first, count, weights } = weightsOf(image[axis], size);
  // Along rows neighbours are a pixel apart and lines a row; along columns it is the other way round.
  const [step, lines] = axis === "width" ? [channels, image.height] : [image.width * channels, 1];
  const line = axis === "width" ? image.width * channels : 0;
  const madeLine = axis === "width" ? size * channels : 0;
  for (let n = 0; n < lines; n++)
    for (let at = 0; at < size; at++) {
      const from = n * line + first[at] * step;
      const to = n * madeLine + at * step;
      const inside = Math.min(count, image[axis] - first[at]);
      for (let c = 0; c < step; c++) {
        let sum = 1 << (bits - 1);
        for (let i = 0; i < inside; i++) sum += pixels[from + i * step + c] * weights[at * count + i];
        made.pixels[to + c] = sum >> bits;
      }
    }
  return made;
}

/** So that the shorter side has `size` pixels, the longer one in proportion, rounded down. */
export function resizeShorter(image: Image, size: number): Image {
  const { height, width } = image;
  return height < width
    ? resize(image, size, Math.floor((size * width) / height))
    : resize(image, Math.floor((size * height) / width), size);
}
