import * as tf from "@tensorflow/tfjs-node";

/**
 * The float32 values of a tensor that `make` computes or finds; what it computes is disposed. (A typed array returned
 * from tf.tidy itself would be walked number by number in search of tensors.)
 */
export function valuesOf(make: () => tf.Tensor): Float32Array {
  let values = new Float32Array();
  tf.tidy(() => {
    values = make().dataSync() as Float32Array<ArrayBuffer>;
  });
  return values;
}
