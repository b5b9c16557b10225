import * as tf from "@tensorflow/tfjs-node";

// Losses of rows: one row is an example, or a token of one. All are differentiable.

/** Smallest probability whose logarithm is taken. */
const least = 1e-12;
/** The same for yes-or-no answers, on both sides; the nearest that float32 keeps apart from 1. */
const leastAnswer = 1e-7;

/** Softmax outputs or logits (rows, classes) → log-probabilities (rows, classes). */
export function logProbabilities(output: tf.Tensor2D, probabilities: boolean): tf.Tensor2D {
  return probabilities ? tf.log(tf.maximum(output, least) as tf.Tensor2D) : tf.logSoftmax(output);
}

/** −log of each row's probability of its label, nats (rows); 0 for a label below 0. Labels int32 (rows). */
export function crossEntropy(logs: tf.Tensor2D, labels: tf.Tensor1D): tf.Tensor1D {
  const chosen = tf.oneHot(labels, logs.shape[1], 1, 0, "float32") as tf.Tensor2D;
  return tf.neg(tf.sum(tf.mul(chosen, logs), 1) as tf.Tensor1D);
}

/** KL(teacher ‖ student) of each row, nats (rows), both softened by a temperature (Hinton et al., 2015). */
export function relativeEntropy(
  teacher: tf.Tensor2D,
  student: tf.Tensor2D,
  temperature: number,
): tf.Tensor1D {
  const [soft, of] = [teacher, student].map((logs) => tf.logSoftmax(tf.div(logs, temperature)));
  return tf.sum(tf.mul(tf.exp(soft), tf.sub(soft, of)), 1) as tf.Tensor1D;
}

/** Sigmoid outputs or logits → logits, of any shape. */
export function answerLogits<T extends tf.Tensor>(output: T, probabilities: boolean): T {
  if (!probabilities) return output;
  const p = tf.clipByValue(output, leastAnswer, 1 - leastAnswer);
  return tf.log(tf.div(p, tf.sub(1, p))) as T;
}

/** −log of the probability of each answer (0 or 1), nats, from logits of the same shape. */
export function answerEntropy<T extends tf.Tensor>(logits: T, answers: T): T {
  return tf.sub(tf.softplus(logits), tf.mul(logits, answers)) as T;
}

/** KL(teacher ‖ student) of each answer, nats, from logits of the same shape, both softened by a temperature. */
export function answerDivergence<T extends tf.Tensor>(teacher: T, student: T, temperature: number): T {
  const [exact, of] = [teacher, student].map((logits) => tf.div(logits, temperature));
  // tf.logSigmoid has a gradient that reads a disposed tensor.
  const logarithm = (logits: tf.Tensor, sign: number) => tf.neg(tf.softplus(tf.mul(logits, -sign)));
  const side = (sign: number) => {
    const logs = logarithm(exact, sign);
    return tf.mul(tf.exp(logs), tf.sub(logs, logarithm(of, sign)));
  };
  return tf.add(side(1), side(-1)) as T;
}
