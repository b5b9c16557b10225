import * as tf from "@tensorflow/tfjs-node";

/** True when the network ends in a softmax, so that its output is probabilities; otherwise it is taken as logits. */
export function givesProbabilities(model: tf.LayersModel): boolean {
  const last = model.outputs[0].sourceLayer.getConfig();
  return last.activation === "softmax" || model.outputs[0].sourceLayer.getClassName() === "Softmax";
}

/** Output (N, classes) → log-probabilities (N, classes). */
export function logProbabilities(output: tf.Tensor, probabilities: boolean): tf.Tensor2D {
  const rows = output as tf.Tensor2D;
  return probabilities ? tf.log(tf.maximum(rows, 1e-12) as tf.Tensor2D) : tf.logSoftmax(rows);
}

/** Mean cross-entropy in nats: log-probabilities (N, classes), labels int32 (N). */
export function crossEntropy(logs: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  const chosen = tf.oneHot(labels, logs.shape[1], 1, 0, "float32") as tf.Tensor2D;
  return tf.neg(tf.mean(tf.sum(tf.mul(chosen, logs), 1)) as tf.Scalar);
}

/**
 * Distillation (Hinton et al., 2015): mean KL(teacher ‖ student) in nats of both outputs softened by `temperature`,
 * times temperature², so that its gradient keeps its size.
 */
export function distillation(student: tf.Tensor2D, teacher: tf.Tensor2D, temperature: number): tf.Scalar {
  const soft = tf.softmax(tf.div(teacher, temperature)) as tf.Tensor2D;
  const difference = tf.sub(
    tf.logSoftmax(tf.div(teacher, temperature)),
    tf.logSoftmax(tf.div(student, temperature)),
  );
  return tf.mul(tf.mean(tf.sum(tf.mul(soft, difference), 1)), temperature ** 2);
}
