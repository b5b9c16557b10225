import * as tf from "@tensorflow/tfjs-node";
import type { Dataset } from "../datasets/dataset";
import { GraphRun } from "../layers/graph";
import { LookupLayer } from "../layers/lookupLayer";

/** What a replaced layer receives inside its network. */
export interface RecordedInput {
  layer: LookupLayer;
  /** float32, channels last as in tf.js */
  data: Float32Array;
  /** Batch axis first. */
  shape: number[];
}

/** Runs images through a converted network and keeps what each replaced layer receives, in network order. */
export function recordInputs(model: tf.LayersModel, images: Dataset): RecordedInput[] {
  const run = new GraphRun(model);
  const recorded: RecordedInput[] = [];
  const batch = tf.tensor4d(images.images, [images.size, ...images.inputShape]);
  tf.tidy(() => {
    const values = run.start(batch);
    for (const node of run.nodes) {
      const [x] = run.inputsOf(node, values);
      if (node.layer instanceof LookupLayer)
        recorded.push({ layer: node.layer, data: x.dataSync() as Float32Array, shape: x.shape });
      run.step(node, values);
    }
  });
  batch.dispose();
  return recorded;
}
