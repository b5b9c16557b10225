import type { tf } from "lutnn";
import { must } from "./must";

export const floats = (x: tf.Tensor): Float32Array => Float32Array.from(x.dataSync());

const bits = (x: tf.Tensor): string => Buffer.from(new Uint8Array(floats(x).buffer)).toString("base64");

export const predict = (model: tf.LayersModel, inputs: tf.Tensor[]): tf.Tensor[] => {
  const outputs = model.predict(inputs.length === 1 ? inputs[0] : inputs);
  return Array.isArray(outputs) ? outputs : [outputs];
};

/** Fails unless outputs are the wanted ones, bit for bit; `what` made them. */
export function sameBits(what: string, model: tf.LayersModel, wanted: tf.Tensor[], got: tf.Tensor[]): void {
  wanted.forEach((y, i) => {
    must(
      y.shape.join() === got[i].shape.join(),
      `${what}: another shape of output ${i}: ${got[i].shape}`,
      model,
    );
    must(bits(y) === bits(got[i]), `${what}: other bits of output ${i}`, model);
  });
}
