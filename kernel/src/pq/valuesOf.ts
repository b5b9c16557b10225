import * as tf from "@tensorflow/tfjs-node";

/**
 * The float32 values of a tensor that `make` computes; every tensor is disposed. (A typed array returned from tf.tidy
 * itself would be walked number by number in search of tensors.)
 */
export function valuesOf(make: () => tf.Tensor): Float32Array {
  const tensor = tf.tidy(make);
  try {
    return tensor.dataSync() as Float32Array;
  } finally {
    tensor.dispose();
  }
}
