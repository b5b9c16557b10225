import * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../compute/valuesOf";
import { disposeBatch, type ExampleSource } from "../datasets/examples";
import { feedsOf, networkInputs } from "../datasets/feeds";
import { InputsOnly } from "../datasets/inputsOnly";
import { LutnnError } from "../errors";
import { cellSignal, yieldToEvents } from "../host/signal";
import { exportLayer, exportOnnx } from "../layers/exportOnnx";
import { NetworkGraph } from "../layers/graph";
import { LookupLayer } from "../layers/lookupLayer";
import { checkFile, type FileCheck } from "./checkFile";
import { runFile } from "./fileValues";
import { nativeLayer, requireNative } from "./nativeLayer";
import { NativeVerification } from "./nativeVerification";
import { type RecordedCall, recordInputs } from "./recordInputs";
import { addVerifications, type LayerVerification, verifyCall } from "./verifyCall";

export interface VerifyOptions {
  /** Of the data, from its beginning. Default 32: the reference is plain loops. */
  examples?: number;
  signal?: AbortSignal;
}

/** Examples on which the whole file is compared. */
const fileExamples = 4;

/** Throws LutnnError, opened by `what`, unless some layer of the network is a lookup. */
export function checkReplaced(what: string, graph: NetworkGraph): void {
  if (![...graph.layers.values()].some((layer) => layer instanceof LookupLayer))
    throw new LutnnError(`${what}: at least one layer must be replaced (none is); call replace(name) first`);
}

/**
 * Feeds each call of a replaced layer what it receives inside the network, for some examples, to the native backend, the
 * loop reference and ONNX Runtime, and compares the whole network's file with the network.
 */
export async function verifyNative(
  model: tf.LayersModel,
  data: ExampleSource,
  options: VerifyOptions = {},
): Promise<NativeVerification> {
  const { isa } = requireNative();
  const { examples = 32 } = options;
  if (!Number.isInteger(examples) || examples < 1)
    throw new LutnnError(
      `verifyNative: examples must be a whole number from 1 (got ${examples}); leave it out for 32`,
    );
  const signal = cellSignal(options.signal);
  const graph = new NetworkGraph(model);
  checkReplaced("verifyNative", graph);
  const rows = new Map<string, LayerVerification>();
  for await (const recorded of recordInputs("verifyNative", graph, data, { examples, signal }))
    for (const call of recorded) {
      const part = await verifyRecorded(call);
      const before = rows.get(call.node.key);
      rows.set(call.node.key, before ? addVerifications(before, part) : part);
      await yieldToEvents(signal);
    }
  return new NativeVerification(isa, [...rows.values()], await verifyWholeFile(model, data, signal));
}

async function verifyWholeFile(
  model: tf.LayersModel,
  data: ExampleSource,
  signal: AbortSignal,
): Promise<FileCheck> {
  const bytes = exportOnnx(model);
  const some = new InputsOnly(data).take(fileExamples);
  for await (const batch of some.batches(fileExamples, { signal }))
    try {
      return await checkFile(bytes, model, feedsOf(networkInputs(model), batch), { signal });
    } finally {
      disposeBatch(batch);
    }
  throw new LutnnError(
    `verifyNative: the data must have at least one example (got none from ${data.name}); give others`,
  );
}

async function verifyRecorded({ node, layer, data, shape }: RecordedCall): Promise<LayerVerification> {
  const native = nativeLayer(layer, shape.slice(1));
  const { lookup } = native;
  const count = shape[0];
  const x = native.arrange(data);
  const y = new Float32Array(count * native.positions * lookup.outputs);
  native.bind(x, count, y)();
  return verifyCall({
    layer: node.key,
    lookup,
    windows: valuesOf(() => layer.inputRows(tf.tensor(data, shape))),
    codes: native.encode(x, count),
    accumulate: native.accumulate,
    native: native.rowsOf(y),
    file: await rowsOfFile(node, data, shape),
  });
}

/** The rows (N, M) of a layer's own file in ONNX Runtime. */
async function rowsOfFile(
  node: RecordedCall["node"],
  data: Float32Array,
  shape: number[],
): Promise<Float32Array> {
  const input = tf.tensor(data, shape);
  const outputs = await runFile(exportLayer(node), [input]);
  try {
    return valuesOf(() => outputs[0].clone()); // (…, M) as rows
  } finally {
    tf.dispose([input, outputs]);
  }
}
