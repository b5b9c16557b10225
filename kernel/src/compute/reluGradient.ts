import * as tf from "@tensorflow/tfjs-node";
import { runOperator, runsOnTensorflow } from "./tensorflowOperator";

/** dy where y > 0, else 0, of any order: the gradient of that in dy is the same again, in y none. */
function whereActive(dy: tf.Tensor, y: tf.Tensor): tf.Tensor {
  if (!runsOnTensorflow() || y.dtype !== "float32") return tf.mul(dy, tf.cast(tf.step(y), "float32"));
  const masked = tf.customGrad((...args) => {
    const [gradient, output] = args as tf.Tensor[];
    (args[2] as tf.GradSaveFunc)([output]);
    return {
      value: runOperator("ReluGrad", { T: { type: "float32" } }, [gradient, output], 1)[0],
      gradFunc: (again: tf.Tensor, saved: tf.Tensor[]) => [
        whereActive(again, saved[0]),
        tf.zerosLike(saved[0]),
      ],
    };
  });
  return masked(dy, y);
}

// tf.js' own gradient of ReLU keeps the input, of which nothing else is needed as a rule, and passes over it six times; from the
// output, which the next layer keeps anyway, one operator gives the same numbers.
tf.registerGradient({
  kernelName: "Relu",
  outputsToSave: [true],
  gradFunc: (dy, saved) => {
    const [y] = saved;
    return { x: () => whereActive(dy as tf.Tensor, y) };
  },
});
