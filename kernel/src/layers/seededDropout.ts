import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { bits32 } from "../pq/random";
import { oneShape, oneTensor } from "./oneInput";

export interface SeededDropoutConfig {
  name?: string;
  /** Share of the numbers that become 0, from 0, below 1. */
  rate: number;
  /** Of the masks. Default 0. */
  seed?: number;
}

/**
 * Dropout (Srivastava et al., 2014) whose masks are new in each step and follow from the seed: in training y = x·m / (1 − rate)
 * with m 0 for a share `rate` of the numbers, drawn one by one, else 1; otherwise y = x. tf.js' own, given a seed, draws the same
 * mask in every step. x float32 of any shape → the same shape. No weights; the gradient is dy·m / (1 − rate).
 *
 * A mask follows from `seed`, the seed of the run, the step and how often the layer was called in it. Training by `fit` and
 * `fineTune` says run and step by {@link beginStep}, so a run that goes on after a break has the masks that it would have had; without
 * it each call is the next one.
 */
export class SeededDropout extends tf.layers.Layer {
  static className = "SeededDropout";
  readonly rate: number;
  readonly seed: number;
  private position = { run: 0, step: 0, call: 0 };

  /** Throws LutnnError unless `rate` is from 0, below 1, and `seed` an integer. */
  constructor({ rate, seed = 0, ...config }: SeededDropoutConfig) {
    super({ ...config });
    this.rate = rate;
    this.seed = seed;
    this.supportsMasking = true;
    if (!(rate >= 0 && rate < 1))
      throw new LutnnError(`${this.name}: rate must be a number from 0, below 1 (got ${rate})`);
    if (!Number.isSafeInteger(seed))
      throw new LutnnError(`${this.name}: seed must be an integer (got ${seed})`);
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), rate: this.rate, seed: this.seed };
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return oneShape(inputShape);
  }

  /** The next call in training is the first of this step, from 0, of a run with that seed. */
  beginStep(step: number, run: number): void {
    this.position = { run, step, call: 0 };
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean } = {}): tf.Tensor {
    const x = oneTensor(inputs);
    if (!kwargs.training || this.rate === 0) return tf.clone(x);
    const { run, step, call } = this.position;
    this.position.call++;
    return tf.tidy(() => tf.mul(x, tf.tensor(this.mask(x.size, run, step, call), x.shape)));
  }

  /** m / (1 − rate), float32. */
  private mask(size: number, ...place: number[]): Float32Array {
    const next = bits32(this.seed, this.name, ...place);
    const bound = Math.round(this.rate * 2 ** 32);
    const kept = 1 / (1 - this.rate);
    const mask = new Float32Array(size);
    for (let i = 0; i < size; i++) if (next() >= bound) mask[i] = kept;
    return mask;
  }
}
tf.serialization.registerClass(SeededDropout);

/** The seeded dropouts among layers and in what these are made of: nested networks, wrapped layers. */
export const dropoutsOf = (layers: readonly tf.layers.Layer[]): SeededDropout[] =>
  layers.flatMap((layer) => {
    if (layer instanceof SeededDropout) return [layer];
    const { layers: inner, layer: wrapped } = layer as {
      layers?: tf.layers.Layer[];
      layer?: tf.layers.Layer;
    };
    return dropoutsOf(inner ?? (wrapped ? [wrapped] : []));
  });
