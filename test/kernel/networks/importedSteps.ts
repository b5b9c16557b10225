import { createRequire } from "node:module";
import type { tf } from "lutnn";
import type { Affine } from "../../../kernel/lib/layers/kinds/affine";
import type { Elementwise } from "../../../kernel/lib/layers/kinds/elementwise";
import type { Expand } from "../../../kernel/lib/layers/kinds/expand";
import type { MatMul } from "../../../kernel/lib/layers/kinds/matMul";
import type { Padding } from "../../../kernel/lib/layers/kinds/padding";
import type { Reduce } from "../../../kernel/lib/layers/kinds/reduce";
import type { Slice } from "../../../kernel/lib/layers/kinds/slice";
import type { Draw } from "./draw";
import { type Pool, shapeOf, type Value } from "./pool";

// The layers that networks from ONNX files have and TensorFlow.js lacks.

const library = createRequire(import.meta.url);
/** A class of the library as its other files see it. */
const made = (file: string) => library(`../../../kernel/lib/layers/kinds/${file}`) as never;
const kinds = {
  ...(made("affine") as { Affine: typeof Affine }),
  ...(made("elementwise") as { Elementwise: typeof Elementwise }),
  ...(made("expand") as { Expand: typeof Expand }),
  ...(made("matMul") as { MatMul: typeof MatMul }),
  ...(made("padding") as { Padding: typeof Padding }),
  ...(made("reduce") as { Reduce: typeof Reduce }),
  ...(made("slice") as { Slice: typeof Slice }),
};

/** A layer on one value: numbers scaled, padded, cut, reduced, spread or changed one by one. */
function alone(draw: Draw, shape: number[], name: string): tf.layers.Layer {
  const axis = draw.integer(1, shape.length);
  const makers = [
    () => {
      const [scale, offset] = draw.of([
        [true, true],
        [true, false],
        [false, true],
      ]);
      const weightShape = shape.map((length) => (draw.sometimes(2) ? length : 1));
      return new kinds.Affine({ weightShape, scale, offset, name });
    },
    () =>
      new kinds.Elementwise({
        operation: draw.of(["absolute", "square", "erf", "exponential"] as const),
        name,
      }),
    () => new kinds.Elementwise({ operation: "clip", minimum: -0.4, maximum: 0.3, name }),
    () =>
      new kinds.Expand({
        lengths: shape.map((length) => (length === 1 ? draw.integer(1, 3) : length)),
        name,
      }),
    () =>
      new kinds.Padding({
        paddings: shape.map((): [number, number] => [draw.integer(0, 1), draw.integer(0, 2)]),
        value: draw.of([0, 0.7]),
        name,
      }),
    () =>
      new kinds.Reduce({
        reduction: draw.of(["mean", "sum", "maximum", "minimum"] as const),
        axes: shape.length > 1 ? [axis] : [1],
        keepDims: shape.length === 1 || draw.sometimes(2),
        name,
      }),
    () => {
      const all = shape[axis - 1];
      const start = draw.integer(0, all - 1);
      return draw.sometimes(3)
        ? new kinds.Slice({ axis, start: all - 1, length: Math.ceil(all / 2), step: -2 + (all % 2), name })
        : new kinds.Slice({ axis, start, length: draw.integer(1, all - start), name });
    },
  ];
  return draw.of(makers)();
}

const isFloat = (shape: number[], { dtype }: Value) => dtype === "float32" && shape.length > 0;

export function imported(pool: Pool, draw: Draw): Value | null {
  const x = pool.pick(draw, isFloat);
  return x && pool.apply(alone(draw, shapeOf(x), pool.names()), x);
}

/** The product of two values of one example each, as matrices. */
export function matMul(pool: Pool, draw: Draw): Value | null {
  const x = pool.pick(draw, (shape, value) => isFloat(shape, value) && shape.length > 1);
  if (!x) return null;
  const shape = shapeOf(x);
  const fits = (other: number[]) =>
    other.length === shape.length &&
    other[other.length - 2] === shape[shape.length - 1] &&
    other.slice(0, -2).join() === shape.slice(0, -2).join();
  const y = pool.pick(draw, (other, value) => isFloat(other, value) && fits(other));
  return y && pool.apply(new kinds.MatMul({ name: pool.names() }), [x, y]);
}
