import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import type { Batch } from "./examples";

/** Throws LutnnError where a batch's inputs or targets hold a number that is not finite; `what` opens the sentence. */
export function assertFinite(what: string, { inputs, targets }: Batch, dataName: string): void {
  for (const [name, tensor] of [...Object.entries(inputs), ["targets", targets] as const]) {
    if (tensor.dtype !== "float32") continue;
    const finite = tf.tidy(() => tf.all(tf.isFinite(tensor)).dataSync()[0] === 1);
    if (finite) continue;
    const values = tensor.dataSync();
    const at = values.findIndex((value) => !Number.isFinite(value));
    const perExample = tensor.size / tensor.shape[0];
    throw new LutnnError(
      `${what}: the data must be finite (got ${values[at]} in ${name === "targets" ? "a target" : `the input ${name}`} of ${dataName}, example ${Math.floor(at / perExample)} of its batch); repair or leave out such examples`,
    );
  }
}
