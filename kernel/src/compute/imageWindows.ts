import * as tf from "@tensorflow/tfjs-node";

/** A convolution's window as ONNX and the native side describe it (fixed input size, explicit padding). */
export interface ConvWindow {
  inputChannels: number;
  filterHeight: number;
  filterWidth: number;
  strideHeight: number;
  strideWidth: number;
  dilationHeight: number;
  dilationWidth: number;
  padTop: number;
  padLeft: number;
  padBottom: number;
  padRight: number;
}

/**
 * Windows of images as rows: x (B, height, width, channels) → (B·positions, channels·filter area), channel-major
 * (channel, row, column), zero where the window leaves the image. Differentiable.
 */
export function imageWindows(
  x: tf.Tensor4D,
  window: ConvWindow,
): { rows: tf.Tensor2D; outputSize: [number, number] } {
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = window;
  const channels = x.shape[3];
  const area = filterHeight * filterWidth;
  const padded = pad(x, window);
  if (area === 1 && strideHeight === 1 && strideWidth === 1)
    return { rows: padded.reshape([-1, channels]), outputSize: [padded.shape[1], padded.shape[2]] };
  // TensorFlow's depthwise convolution takes neither a dilation nor strides that differ.
  const fits = dilationHeight * dilationWidth === 1 && strideHeight === strideWidth;
  const windows = fits ? byConvolution(padded, window) : bySlices(padded, window);
  const outputSize: [number, number] = [windows.shape[1], windows.shape[2]];
  return { rows: windows.reshape([-1, channels * area]), outputSize };
}

/**
 * Some of those rows alone, by their numbers: (rows, channels·filter area). What it holds is as large as what it gives,
 * however large the images are.
 */
export function windowsAt(x: tf.Tensor4D, window: ConvWindow, indices: Uint32Array): tf.Tensor2D {
  const [, height, width, channels] = x.shape;
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = window;
  const { padTop, padBottom, padLeft, padRight } = window;
  const area = filterHeight * filterWidth;
  const positions = (length: number, filter: number, dilation: number, stride: number) =>
    Math.floor((length - (filter - 1) * dilation - 1) / stride) + 1;
  const rows = positions(height + padTop + padBottom, filterHeight, dilationHeight, strideHeight);
  const columns = positions(width + padLeft + padRight, filterWidth, dilationWidth, strideWidth);
  const pixels = new Int32Array(indices.length * area);
  const inside = new Uint8Array(pixels.length);
  let at = 0;
  for (const index of indices) {
    const image = Math.floor(index / (rows * columns));
    const top = (Math.floor(index / columns) % rows) * strideHeight - padTop;
    const left = (index % columns) * strideWidth - padLeft;
    for (let i = 0; i < filterHeight; i++)
      for (let j = 0; j < filterWidth; j++, at++) {
        const [y, z] = [top + i * dilationHeight, left + j * dilationWidth];
        if (y < 0 || y >= height || z < 0 || z >= width) continue;
        pixels[at] = (image * height + y) * width + z;
        inside[at] = 1;
      }
  }
  const found = tf.gather(x.reshape([-1, channels]), tf.tensor1d(pixels, "int32")); // (rows·area, channels)
  const kept = inside.includes(0)
    ? tf.where(
        tf.tensor2d(inside, [pixels.length, 1], "bool").tile([1, channels]),
        found,
        tf.zerosLike(found),
      )
    : found;
  return kept
    .reshape([indices.length, area, channels])
    .transpose([0, 2, 1])
    .reshape([indices.length, channels * area]);
}

function pad(x: tf.Tensor4D, { padTop, padBottom, padLeft, padRight }: ConvWindow): tf.Tensor4D {
  if (padTop + padBottom + padLeft + padRight === 0) return x;
  return tf.pad4d(x, [
    [0, 0],
    [padTop, padBottom],
    [padLeft, padRight],
    [0, 0],
  ]);
}

/** A depthwise convolution with one-hot filters: 3 to 6 times faster than stacking slices. */
function byConvolution(x: tf.Tensor4D, window: ConvWindow): tf.Tensor4D {
  const { filterHeight, filterWidth, strideHeight, strideWidth } = window;
  const area = filterHeight * filterWidth;
  const oneHot = tf
    .eye(area)
    .reshape([filterHeight, filterWidth, 1, area])
    .tile([1, 1, x.shape[3], 1]) as tf.Tensor4D;
  return tf.depthwiseConv2d(x, oneHot, [strideHeight, strideWidth], "valid");
}

/** A slice for each tap of the filter, thinned out by a pooling of single pixels. */
function bySlices(x: tf.Tensor4D, window: ConvWindow): tf.Tensor5D {
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = window;
  const [batch, height, width, channels] = x.shape;
  const size = [height - (filterHeight - 1) * dilationHeight, width - (filterWidth - 1) * dilationWidth];
  const taps: tf.Tensor4D[] = [];
  for (let i = 0; i < filterHeight; i++)
    for (let j = 0; j < filterWidth; j++) {
      const slice = tf.slice4d(
        x,
        [0, i * dilationHeight, j * dilationWidth, 0],
        [batch, size[0], size[1], channels],
      );
      taps.push(tf.avgPool(slice, 1, [strideHeight, strideWidth], "valid"));
    }
  return tf.stack(taps, 4) as tf.Tensor5D; // (B, output height, output width, channels, area)
}
