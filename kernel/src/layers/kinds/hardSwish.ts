import * as tf from "@tensorflow/tfjs-node";
import type { LayerKind } from "./kind";

/** x · min(max(x / 6 + ½, 0), 1), of any shape: the swish of mobile networks, which TensorFlow.js lacks. */
export class HardSwish extends tf.layers.Layer {
  static className = "HardSwish";

  constructor(config: tf.serialization.ConfigDict = {}) {
    super(config);
    this.supportsMasking = true;
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.tidy(() => {
      const x = Array.isArray(inputs) ? inputs[0] : inputs;
      return tf.mul(x, tf.clipByValue(tf.add(tf.div(x, 6), 0.5), 0, 1));
    });
  }
}
tf.serialization.registerClass(HardSwish);

export const hardSwish: LayerKind = {
  classNames: ["HardSwish"],
  end: { activation: "hardSwish" },
  layout: "any",
  write: (graph, node, [x]) => ({ ...x, name: graph.add("HardSwish", [x.name], node.key) }),
};
