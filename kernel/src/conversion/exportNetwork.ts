import type * as tf from "@tensorflow/tfjs-node";
import { type Data, examplesOf } from "../datasets/from";
import { cellSignal } from "../host/signal";
import { NetworkGraph } from "../layers/graph";
import { libraryVersion } from "../onnx/model";
import { checkNetwork } from "./checkNetwork";
import { Outcome } from "./outcome";
import { Samples } from "./samples";
import { checkSave, makeFile, type SaveOptions, writeModelFile } from "./saveFile";

export interface ExportOnnxOptions extends Omit<SaveOptions, "reopen"> {
  /** Examples that the file is checked on, and a remainder in INT8 is made from; the file is checked on random ones otherwise. */
  data?: Data;
}

/**
 * Writes a network as an ONNX file (opset 17), a dense one or the `model` of a conversion, as `conversion.save` does:
 * checked in ONNX Runtime, whole or not there. Its outputs are called `output`, or by the network's names where it has
 * several. Throws LutnnError on what has no form in a file, naming the layer and its kind.
 */
export async function exportOnnx(
  model: tf.LayersModel,
  path: string,
  { data, ...options }: ExportOnnxOptions = {},
): Promise<Outcome> {
  checkNetwork("exportOnnx", model);
  checkSave(path, options);
  const samples = new Samples(new NetworkGraph(model).inputs);
  const seen = data ?? options.examples;
  if (seen) await samples.remember(await examplesOf(seen));
  const frame = { metadata: { "lutnn.version": libraryVersion() } };
  const parts = { ...frame, samples, known: data ?? null, task: null };
  const signal = cellSignal(options.signal);
  const { bytes, checked, warnings } = await makeFile(model, parts, { ...options, signal });
  return new Outcome(`saved ${path}: ${await writeModelFile(path, bytes, options)}, ${checked}`, warnings);
}
