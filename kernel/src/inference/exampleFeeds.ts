import type * as tf from "@tensorflow/tfjs-node";
import type { Batch, ExampleSource, InputSpec } from "../datasets/examples";
import { LutnnError } from "../errors";
import { fileShape, toChannelsFirst } from "./layout";
import { convertTo, type FileValue, type TensorData, valueText } from "./tensorData";

/** The examples' input for one of the file's: of the same name; where both have one alone, that one. */
function specFor(input: FileValue, count: number, data: ExampleSource): InputSpec {
  const alone = count === 1 && data.inputs.length === 1;
  const spec = alone ? data.inputs[0] : data.inputs.find(({ name }) => name === input.name);
  if (spec) return spec;
  throw new LutnnError(
    `evaluate: the data must have the file's input ${input.name} (got ${data.inputs.map(({ name }) => name).join(", ") || "no input"} from ${data.name}); name the data's inputs as the file's`,
  );
}

const fits = ({ dims }: FileValue, shape: readonly number[]): boolean =>
  dims.length === shape.length &&
  dims.every((length, axis) => axis === 0 || typeof length !== "number" || length === shape[axis]);

/** How examples of a shape go into a file's input: channels first, as this library writes images, or as they are. */
function layoutFor(input: FileValue, spec: InputSpec, name: string): "channels first" | "as it is" {
  const shape = [0, ...spec.shape];
  if (fits(input, fileShape(shape))) return "channels first";
  if (fits(input, shape)) return "as it is";
  throw new LutnnError(
    `evaluate: the data's ${spec.name} must fit the file's input ${valueText(input)} (got examples of ${spec.shape.join("×") || "one number"} from ${name}); images are turned channels first by themselves`,
  );
}

/** A float32 or int32 tensor of tf.js as a feed of a file's input whose layout is this library's. */
export async function feedOf(input: FileValue, tensor: tf.Tensor): Promise<TensorData> {
  const data = (await tensor.data()) as Float32Array | Int32Array;
  const turned = tensor.rank === 4 ? toChannelsFirst(data, tensor.shape.slice(1)) : data;
  return { data: convertTo(input.type, turned), dims: fileShape(tensor.shape) };
}

/** What turns batches of a data set into a file's feeds. Throws LutnnError when the data do not fit the file. */
export function feederOf(
  inputs: readonly FileValue[],
  data: ExampleSource,
): (batch: Batch) => Promise<Record<string, TensorData>> {
  const plans = inputs.map((input) => {
    const spec = specFor(input, inputs.length, data);
    return { input, spec, layout: layoutFor(input, spec, data.name) };
  });
  return async (batch) => {
    const feeds: Record<string, TensorData> = {};
    for (const { input, spec, layout } of plans) {
      const tensor = batch.inputs[spec.name];
      feeds[input.name] =
        layout === "channels first"
          ? await feedOf(input, tensor)
          : { data: convertTo(input.type, await tensor.data()), dims: tensor.shape };
    }
    return feeds;
  };
}
