import * as tf from "@tensorflow/tfjs-node";
import { LookupLayer } from "./lookupLayer";
import { oneShape, oneTensor } from "./oneInput";

/** A Dense layer whose output is looked up. Takes (…, D), gives (…, M). */
export class LutDense extends LookupLayer {
  static className = "LutDense";

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = oneShape(inputShape);
    this.buildLookup(shape[shape.length - 1] as number, this.denseConfig.units as number);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    return [...oneShape(inputShape).slice(0, -1), this.denseConfig.units as number];
  }

  override inputRows(x: tf.Tensor): tf.Tensor2D {
    return x.reshape([-1, x.shape[x.shape.length - 1]]);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown> = {}): tf.Tensor {
    return tf.tidy(() => {
      const x = oneTensor(inputs);
      return this.lookUp(this.inputRows(x), null, kwargs.training === true).reshape([
        ...x.shape.slice(0, -1),
        this.denseConfig.units as number,
      ]);
    });
  }
}
tf.serialization.registerClass(LutDense);
