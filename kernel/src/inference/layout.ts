// Images are channels last in tf.js, (N, height, width, channels), and channels first at the ends of a file. What has
// rank 4 counts as an image there, whatever it means inside the network; everything else keeps its shape.

type Numbers = Float32Array | Int32Array;

/** Each block (rows, columns) of x becomes (columns, rows). */
function transposeBlocks<T extends Numbers>(x: T, rows: number, columns: number): T {
  if (rows === 1 || columns === 1) return x;
  const y = x.slice() as T;
  for (let from = 0; from < x.length; from += rows * columns)
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++)
        y[from + column * rows + row] = x[from + row * columns + column];
  return y;
}

/** x (N, height, width, channels) → (N, channels, height, width); x itself where that is the same. */
export function toChannelsFirst<T extends Numbers>(x: T, [height, width, channels]: readonly number[]): T {
  return transposeBlocks(x, height * width, channels);
}

/** x (N, channels, height, width) → (N, height, width, channels); x itself where that is the same. */
export function toChannelsLast<T extends Numbers>(x: T, [channels, height, width]: readonly number[]): T {
  return transposeBlocks(x, channels, height * width);
}

/** The shape at a file's end of a tensor of this shape in tf.js, batch axis first. */
export const fileShape = (shape: readonly number[]): number[] =>
  shape.length === 4 ? [shape[0], shape[3], shape[1], shape[2]] : [...shape];

/** The shape in tf.js of a tensor of this shape at a file's end, batch axis first. */
export const networkShape = (shape: readonly number[]): number[] =>
  shape.length === 4 ? [shape[0], shape[2], shape[3], shape[1]] : [...shape];
