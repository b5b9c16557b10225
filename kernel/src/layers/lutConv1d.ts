import * as tf from "@tensorflow/tfjs-node";
import { LutConvolution } from "./lutConvolution";

/** A Conv1D (channels last) whose output is looked up, as a Conv2D of height 1. */
export class LutConv1D extends LutConvolution {
  static className = "LutConv1D";
}
tf.serialization.registerClass(LutConv1D);
