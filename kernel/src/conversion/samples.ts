import * as tf from "@tensorflow/tfjs-node";
import { disposeBatch, type ExampleSource } from "../datasets/examples";
import { feedsOf } from "../datasets/feeds";
import type { GraphEnd } from "../layers/graph";
import { seededRandom } from "../pq/random";

/** Examples that are kept. */
const count = 4;

/** A few examples of what a network receives, kept from the data that it has seen, to check files by. */
export class Samples {
  private kept: { shape: number[]; dtype: tf.DataType; values: tf.TypedArray }[] | null = null;

  constructor(private readonly inputs: readonly GraphEnd[]) {}

  /** Keeps the first examples of the data, the first time. */
  async remember(data: ExampleSource): Promise<void> {
    if (this.kept) return;
    for await (const batch of data.take(count).batches(count)) {
      this.kept = feedsOf(this.inputs, batch).map((tensor) => ({
        shape: tensor.shape,
        dtype: tensor.dtype,
        values: tensor.dataSync(),
      }));
      disposeBatch(batch);
      return;
    }
  }

  /** Where they come from, for a sentence. */
  get origin(): string {
    return this.kept ? "examples of the data" : "random examples";
  }

  /** One tensor for each input; the caller disposes. Random numbers where no data have been seen. */
  tensors(): tf.Tensor[] {
    if (this.kept)
      return this.kept.map(({ shape, dtype, values }) => tf.tensor(values, shape, dtype as "float32"));
    return this.inputs.map(({ shape, dtype, name }) => {
      const random = seededRandom(0, name, "samples");
      const dims = [count, ...(shape.slice(1) as number[])];
      const size = dims.reduce((product, length) => product * length, 1);
      const whole = dtype === "int32";
      const values = Float32Array.from({ length: size }, () =>
        whole ? Math.floor(2 * random()) : 2 * random() - 1,
      );
      return tf.tensor(values, dims, whole ? "int32" : "float32");
    });
  }
}
