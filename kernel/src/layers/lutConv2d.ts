import * as tf from "@tensorflow/tfjs-node";
import { LutConvolution } from "./lutConvolution";

/** A Conv2D (channels last) whose output is looked up: nearest centroid of each window part, then a sum of table rows. */
export class LutConv2D extends LutConvolution {
  static className = "LutConv2D";
}
tf.serialization.registerClass(LutConv2D);
