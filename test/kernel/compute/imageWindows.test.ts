// Windows of images as rows, against loops.
import { tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { type ConvWindow, imageWindows, windowsAt } from "../../../kernel/lib/compute/imageWindows";
import { randomFloats } from "../random";

const [images, height, width, channels] = [2, 7, 6, 3];
const values = randomFloats(images * height * width * channels, 1);

function windowOf(filter: number[], strides: number[], dilations: number[], pads: number[]): ConvWindow {
  const [filterHeight, filterWidth] = filter;
  const [strideHeight, strideWidth] = strides;
  const [dilationHeight, dilationWidth] = dilations;
  const [padTop, padLeft, padBottom, padRight] = pads;
  return {
    ...{ inputChannels: channels, filterHeight, filterWidth, strideHeight, strideWidth },
    ...{ dilationHeight, dilationWidth, padTop, padLeft, padBottom, padRight },
  };
}

/** Each position's window: channel, row, column of the filter, zero outside of the image. */
function byLoops(w: ConvWindow): { rows: number[][]; size: [number, number] } {
  const places = (length: number, filter: number, dilation: number, stride: number) => {
    let count = 0;
    while (count * stride + (filter - 1) * dilation < length) count++;
    return count;
  };
  const size: [number, number] = [
    places(height + w.padTop + w.padBottom, w.filterHeight, w.dilationHeight, w.strideHeight),
    places(width + w.padLeft + w.padRight, w.filterWidth, w.dilationWidth, w.strideWidth),
  ];
  const rows: number[][] = [];
  for (let n = 0; n < images; n++)
    for (let p = 0; p < size[0]; p++)
      for (let q = 0; q < size[1]; q++) {
        const row: number[] = [];
        for (let c = 0; c < channels; c++)
          for (let i = 0; i < w.filterHeight; i++)
            for (let j = 0; j < w.filterWidth; j++) {
              const y = p * w.strideHeight - w.padTop + i * w.dilationHeight;
              const x = q * w.strideWidth - w.padLeft + j * w.dilationWidth;
              const isInside = y >= 0 && y < height && x >= 0 && x < width;
              row.push(isInside ? values[((n * height + y) * width + x) * channels + c] : 0);
            }
        rows.push(row);
      }
  return { rows, size };
}

describe.each<[string, ConvWindow]>([
  ["of single pixels", windowOf([1, 1], [1, 1], [1, 1], [0, 0, 0, 0])],
  ["of single pixels with a border", windowOf([1, 1], [1, 1], [1, 1], [1, 0, 2, 1])],
  ["of every second column", windowOf([1, 1], [1, 2], [1, 1], [0, 0, 0, 0])],
  ["of every second row", windowOf([1, 1], [2, 1], [1, 1], [0, 0, 0, 0])],
  ["of 3 × 2 with uneven padding", windowOf([3, 2], [1, 1], [1, 1], [2, 0, 1, 1])],
  ["of 2 × 2 with a row more", windowOf([2, 2], [1, 1], [1, 1], [0, 0, 1, 0])],
  ["in steps of two", windowOf([2, 3], [2, 2], [1, 1], [1, 1, 0, 2])],
  ["in steps that differ", windowOf([3, 2], [2, 1], [1, 1], [1, 1, 1, 1])],
  ["with gaps between columns", windowOf([2, 3], [1, 1], [1, 2], [0, 2, 1, 2])],
  ["with gaps between rows, in steps", windowOf([3, 2], [2, 3], [2, 1], [2, 1, 2, 1])],
])("windows %s", (_, window) => {
  const { rows, size } = byLoops(window);

  it("are rows, a position each", () => {
    tf.tidy(() => {
      const made = imageWindows(tf.tensor4d(values, [images, height, width, channels]), window);
      expect(made.outputSize).toEqual(size);
      expect(made.rows.arraySync()).toEqual(rows);
    });
  });

  it("are taken one by one, by their numbers", () => {
    tf.tidy(() => {
      const x = tf.tensor4d(values, [images, height, width, channels]);
      const wanted = Uint32Array.from({ length: 9 }, (_one, i) => (i * 11 + 3) % rows.length);
      wanted[8] = rows.length - 1;
      expect(windowsAt(x, window, wanted).arraySync()).toEqual(Array.from(wanted, (i) => rows[i]));
    });
  });
});
