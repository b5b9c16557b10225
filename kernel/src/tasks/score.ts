import * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../compute/valuesOf";

/**
 * What follows from some examples' outputs. All fields are sums over the examples, so that batches add up: of an
 * example's share m of what the metric is the mean of, of the weight w that it is divided by (1, or its tokens), and of
 * their products, from which the noise follows.
 */
export interface Score {
  /** Σ m and Σ w. */
  metric: number;
  weight: number;
  /** Σ m², Σ m·w and Σ w². */
  metricSquares: number;
  products: number;
  weightSquares: number;
}

/** The score of no examples. */
export const noScore: Score = { metric: 0, weight: 0, metricSquares: 0, products: 0, weightSquares: 0 };

export function addScores(a: Score, b: Score): Score {
  return {
    metric: a.metric + b.metric,
    weight: a.weight + b.weight,
    metricSquares: a.metricSquares + b.metricSquares,
    products: a.products + b.products,
    weightSquares: a.weightSquares + b.weightSquares,
  };
}

/** The score of examples from each one's m (N) and w (N; 1 when left out), as `make` computes them; keeps no tensor. */
export function scoreOf(make: () => { metric: tf.Tensor; weight?: tf.Tensor }): Score {
  const values = valuesOf(() => {
    const { metric, weight } = make();
    return tf.stack([metric, weight ?? tf.onesLike(metric)]); // (2, N)
  });
  const size = values.length / 2;
  const score = { ...noScore };
  for (let i = 0; i < size; i++) {
    const [m, w] = [values[i], values[size + i]];
    score.metric += m;
    score.weight += w;
    score.metricSquares += m * m;
    score.products += m * w;
    score.weightSquares += w * w;
  }
  return score;
}

/** Σ m / Σ w; NaN for no weight at all. */
export const meanOf = ({ metric, weight }: Score): number => metric / weight;

/**
 * Standard error of {@link meanOf}, examples being independent of each other (tokens of one example need not be):
 * √(Σ (m − r·w)²) / Σ w with r = Σ m / Σ w. For shares it is √(p(1 − p) / N).
 */
export function standardError(score: Score): number {
  const ratio = meanOf(score);
  const squares = score.metricSquares - 2 * ratio * score.products + ratio ** 2 * score.weightSquares;
  return Math.sqrt(Math.max(0, squares)) / score.weight;
}
