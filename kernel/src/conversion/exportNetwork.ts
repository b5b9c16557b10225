import type * as tf from "@tensorflow/tfjs-node";
import { type Data, examplesOf } from "../datasets/from";
import { cellSignal } from "../host/signal";
import { NetworkGraph } from "../layers/graph";
import { libraryVersion } from "../onnx/model";
import { checkNetwork } from "./checkNetwork";
import { Outcome } from "./outcome";
import { Samples } from "./samples";
import { checkSave, makeFile, type SaveOptions, writeModelFile } from "./saveFile";

export interface ExportOnnxOptions extends Omit<SaveOptions, "reopen" | "examples"> {
  /**
   * Real examples that the file is checked on, and by whose values the ranges of a remainder in INT8 are chosen, 64 or more; their targets
   * are not read. Without any, the file is checked on random ones.
   */
  examples?: Data;
}

/**
 * Writes a network as an ONNX file (opset 17), a dense one or the `model` of a conversion, as `conversion.save` does:
 * checked in ONNX Runtime, whole or not there. Its outputs are called `output`, or by the network's names where it has
 * several. Throws LutnnError on what has no form in a file, naming the layer and its kind.
 */
export async function exportOnnx(
  model: tf.LayersModel,
  path: string,
  { examples, ...options }: ExportOnnxOptions = {},
): Promise<Outcome> {
  checkNetwork("exportOnnx", model);
  checkSave(path, options);
  const samples = new Samples(new NetworkGraph(model).inputs);
  if (examples) await samples.remember(await examplesOf(examples));
  const frame = { metadata: { "lutnn.version": libraryVersion() } };
  const parts = { ...frame, samples, known: examples ?? null, task: null };
  const signal = cellSignal(options.signal);
  const { bytes, checked, warnings } = await makeFile(model, parts, { ...options, signal });
  return new Outcome(`saved ${path}: ${await writeModelFile(path, bytes, options)}, ${checked}`, warnings);
}
