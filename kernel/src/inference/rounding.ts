import * as tf from "@tensorflow/tfjs-node";

// What may differ between two runtimes that compute the same call on the same inputs. Both round float32 numbers, in
// other orders and with other approximations of exp, tanh and the like; nothing else is rounding.

/** Of an example's largest output: the approximations of transcendental functions, and sums in another order. */
export const RELATIVE = 1e-5;
/** Relative change of a call's inputs (16 units in the last place) whose effect on the outputs shows cancellation. */
export const INPUT_CHANGE = 2 ** -20;
/** How many times that effect may be seen: sums of many terms, each rounded. */
export const EFFECTS = 4;

/** Four units in the last place of numbers just below 1. */
const aroundOne = 2 ** -22;
/**
 * Activations that runtimes compute from a sum around ½ or 1, which is rounded however near to 0 their results are; and up to
 * which input those results, in proportion to it, are not lost in that.
 */
const largestInputs: Readonly<Record<string, number>> = { sigmoid: 1, swish: 16, gelu: 8, gelu_new: 8 };

/** What a layer's activation may add to its rounding, whatever its outputs' size. */
export const absoluteOf = (layer: tf.layers.Layer): number =>
  aroundOne * (largestInputs[String(layer.getConfig().activation)] ?? 0);

/** Largest |x| of each example: (N, …) → float32 (N). */
export function largestOfExamples(x: Float32Array, examples: number): Float32Array {
  const size = x.length / examples;
  const most = new Float32Array(examples);
  for (let i = 0; i < x.length; i++) {
    const n = Math.floor(i / size);
    const value = Math.abs(x[i]);
    if (value > most[n]) most[n] = value;
  }
  return most;
}

/** How far two numbers are apart; not at all when both are the same infinity or no number at all. */
export function distance(a: number, b: number): number {
  if (Object.is(a, b) || a === b) return 0;
  const difference = Math.abs(a - b);
  return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
}

/** The inputs changed by {@link INPUT_CHANGE}, up or down at random but always the same; the caller disposes. */
export function changed(inputs: readonly tf.Tensor[]): tf.Tensor[] {
  return inputs.map((x, i) =>
    tf.tidy(() => {
      if (x.dtype !== "float32") return x.clone();
      const signs = tf.sign(tf.randomUniform(x.shape, -1, 1, "float32", 17 + i));
      return x.mul(signs.mul(INPUT_CHANGE).add(1));
    }),
  );
}
