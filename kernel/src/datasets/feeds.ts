import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import type { Batch, ExampleSource, InputSpec } from "./examples";

/** What a network asks of an input; the batch axis comes first in `shape`. */
export interface NetworkInput {
  name: string;
  shape: tf.Shape;
  dtype: tf.DataType;
}

/** The inputs of a network, in its order. Throws LutnnError for one that does not know them yet. */
export function networkInputs(model: tf.LayersModel): NetworkInput[] {
  if (!model.inputs)
    throw new LutnnError(
      `${model.name}: the network must know the shape of its inputs (it has none yet); give its first layer an inputShape`,
    );
  return model.inputs.map(({ shape, dtype, sourceLayer }) => ({ name: sourceLayer.name, shape, dtype }));
}

/** The data set's input for one of the network's: of the same name; where both have one alone, that one. */
function inputFor<T>(wanted: string, count: number, given: Record<string, T>): T | undefined {
  const names = Object.keys(given);
  return count === 1 && names.length === 1 ? given[names[0]] : given[wanted];
}

/** A batch's tensors in the order of the network's inputs; they stay the batch's. */
export function feedsOf(inputs: readonly NetworkInput[], batch: Batch): tf.Tensor[] {
  return inputs.map(({ name }) => inputFor(name, inputs.length, batch.inputs)!);
}

const shapeText = (shape: readonly (number | null)[]): string =>
  shape.length === 0 ? "one number" : shape.map((length) => length ?? "any").join("×");

/** Throws LutnnError when the data cannot feed a network with these inputs; `what` opens the sentence. */
export function checkFeeds(what: string, inputs: readonly NetworkInput[], data: ExampleSource): void {
  const given: Record<string, InputSpec> = Object.fromEntries(data.inputs.map((spec) => [spec.name, spec]));
  for (const { name, shape, dtype } of inputs) {
    const spec = inputFor(name, inputs.length, given);
    const wanted = shape.slice(1);
    if (!spec)
      throw new LutnnError(
        `${what}: the data must have the network's input ${name} of ${shapeText(wanted)} (got ${data.inputs.map((one) => one.name).join(", ") || "no input"} from ${data.name}); name the data's inputs as the network's`,
      );
    const fits =
      spec.shape.length === wanted.length &&
      wanted.every((length, i) => length === null || length === spec.shape[i]);
    if (!fits)
      throw new LutnnError(
        `${what}: the data must have examples of ${shapeText(wanted)} for the input ${name} (got ${shapeText(spec.shape)} from ${data.name})`,
      );
    if ((dtype === "int32") !== (spec.dtype === "int32"))
      throw new LutnnError(
        `${what}: the data's input ${spec.name} must be ${dtype} as the network's input ${name} (got ${spec.dtype} from ${data.name})`,
      );
  }
}
