import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";

/** Small pictures in rows, as a PNG that is clear between them, for pages of any colour: shows itself in a notebook. */
export class ImageGrid implements Displayable {
  constructor(
    readonly png: Uint8Array,
    readonly description: string,
  ) {}

  [displaySymbol](): MimeBundle {
    return { "image/png": Buffer.from(this.png).toString("base64"), "text/plain": this.description };
  }
}

/** Red, green, blue, and how opaque. */
const channels = 4;
/** The lightest and the middle grey of a picture; black is the other end. */
const lightest = 235;
const middle = 118;

/**
 * Draws grey pictures (height, width) row by row, each row's own range from white (its smallest value) to black; with
 * `perImage` every picture has a range of its own. `zoom` pixels a value.
 * rows: arrays of float32 (height·width).
 */
export async function imageGrid(
  rows: Float32Array[][],
  [height, width]: [number, number],
  options: { zoom?: number; gap?: number; perImage?: boolean } = {},
): Promise<ImageGrid> {
  const { zoom = 8, gap = 6, perImage = false } = options;
  if (rows.length === 0 || rows.some((row) => row.length === 0))
    throw new LutnnError("imageGrid: every row needs at least one picture (got an empty one)");
  const columns = Math.max(...rows.map((row) => row.length));
  const cell = [height * zoom + gap, width * zoom + gap];
  const size = [rows.length * cell[0] + gap, columns * cell[1] + gap];
  const pixels = new Uint8Array(size[0] * size[1] * channels); // (height, width, 4), clear
  rows.forEach((row, r) => {
    const shared = rangeOf(row);
    row.forEach((image, c) => {
      if (image.length !== height * width)
        throw new LutnnError(
          `imageGrid: a picture must hold ${height}·${width} numbers (got ${image.length})`,
        );
      const [low, high] = perImage ? rangeOf([image]) : shared;
      for (let y = 0; y < height * zoom; y++)
        for (let x = 0; x < width * zoom; x++) {
          const value = image[Math.floor(y / zoom) * width + Math.floor(x / zoom)];
          const grey = high > low ? Math.round(lightest * (1 - (value - low) / (high - low))) : middle;
          const at = ((gap + r * cell[0] + y) * size[1] + gap + c * cell[1] + x) * channels;
          pixels.fill(grey, at, at + 3);
          pixels[at + 3] = 255;
        }
    });
  });
  const tensor = tf.tensor3d(pixels, [size[0], size[1], channels], "int32");
  try {
    const png = await tf.node.encodePng(tensor);
    return new ImageGrid(png, `${rows.length} × ${columns} pictures of ${height}×${width}`);
  } finally {
    tensor.dispose();
  }
}

function rangeOf(images: Float32Array[]): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const image of images)
    for (const value of image) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  return [low, high];
}
