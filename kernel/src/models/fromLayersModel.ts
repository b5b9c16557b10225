import { existsSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { quoted } from "../files/quoted";
import { readFileWhole } from "../files/readFile";
import { assembleNetwork, freshLayer } from "../layers/assemble";
import { NetworkGraph } from "../layers/graph";
import { knownClasses } from "../layers/kinds/index";
import { type NetworkJson, orderReadably } from "../layers/readableOrder";
import { shapeText } from "../layers/shapeText";
import type { ImportOptions } from "./onnx/importNetwork";

export interface FromLayersModelOptions {
  /**
   * Lengths after the batch for an input whose sizes are open, or other ones; null for one that stays. By the inputs' names
   * where there are several.
   */
  inputShape?: ImportOptions["inputShape"];
}

/** A `model.json` has the structure alone. */
const largestStructure = 2 ** 26;

/** As tf.js writes it, and as its converter does. */
type Topology = { config?: NetworkJson; model_config?: { config?: NetworkJson } };

/** Throws LutnnError where tf.js would read calls of layers for others. */
function requireOrder({ config, model_config }: Topology, file: string): void {
  if (!orderReadably(model_config?.config ?? config ?? {}))
    throw new LutnnError(
      `fromLayersModel: the calls of layers that are used again must be in an order that TensorFlow.js reads (in ${quoted(file)} they are not, and it would take one for another); give the network itself, or save it as ONNX`,
    );
}

/** Reads a network that tf.js has saved: `model.json`, or the folder that it lies in. */
async function load(path: string): Promise<tf.LayersModel> {
  const isFolder = existsSync(path) && statSync(path).isDirectory();
  const file = isFolder ? join(path, "model.json") : path;
  const text = (await readFileWhole(file, "fromLayersModel", largestStructure)).toString("utf8");
  let found: { format?: unknown; modelTopology?: unknown };
  try {
    found = JSON.parse(text) as typeof found;
  } catch {
    found = {};
  }
  const { format, modelTopology } = found ?? {};
  if (format === "graph-model")
    throw new LutnnError(
      `fromLayersModel: the file must be a layers model (got ${quoted(file)}, a graph-model, which knows no layers); convert it with output format tfjs_layers_model, or as ONNX and read that with fromOnnx`,
    );
  if (typeof modelTopology !== "object" || modelTopology === null)
    throw new LutnnError(
      `fromLayersModel: the file must be the model.json of a saved layers model (got ${quoted(file)}, JSON without modelTopology, or none); model.save("file://folder") writes one`,
    );
  try {
    const [handler] = tf.io.getLoadHandlers(`file://${resolve(file)}`);
    const artifacts = await handler.load!();
    requireOrder(artifacts.modelTopology as Topology, file);
    return await tf.loadLayersModel({ load: async () => artifacts });
  } catch (error) {
    if (error instanceof LutnnError) throw error;
    const { message } = error as Error;
    const [, unknown] = /Unknown layer: (\S+?)\./.exec(message) ?? [];
    throw new LutnnError(
      unknown
        ? `fromLayersModel: the classes of all layers must be known (got ${unknown} in ${quoted(file)}); register it with tf.serialization.registerClass, or use one of ${knownClasses().join(", ")}`
        : `fromLayersModel: ${quoted(file)} must be whole, with its weights beside it (${message.split("\n")[0]}); save or copy it again`,
    );
  }
}

/** The inputs' shapes as the options have them, batch first. */
function shapesOf(graph: NetworkGraph, { inputShape }: FromLayersModelOptions): tf.Shape[] {
  const { inputs } = graph;
  const named: Readonly<Record<string, readonly (number | null)[]>> = Array.isArray(inputShape)
    ? { [inputs[0].name]: inputShape as readonly (number | null)[] }
    : ((inputShape ?? {}) as Readonly<Record<string, readonly (number | null)[]>>);
  const names = inputs.map(({ name }) => name);
  const unknown = Object.keys(named).find((name) => !names.includes(name));
  if (unknown !== undefined || (Array.isArray(inputShape) && inputs.length > 1))
    throw new LutnnError(
      `fromLayersModel: inputShape must say shapes by the names of the inputs, ${names.join(", ")} (got ${unknown === undefined ? `one shape for ${inputs.length} inputs` : quoted(unknown)})`,
    );
  return inputs.map(({ name, shape }) => {
    const wanted = Object.hasOwn(named, name) ? named[name] : shape.slice(1).map(() => null);
    const lengths = wanted.map((length, i) => length ?? shape[i + 1]);
    if (wanted.length !== shape.length - 1 || lengths.some((one) => !Number.isInteger(one) || one! < 1))
      throw new LutnnError(
        `fromLayersModel: every length of input ${quoted(name)} after the batch must be known (got ${shapeText(lengths)}, where the network has ${shapeText(shape.slice(1))}); give inputShape, as { inputShape: [${shape
          .slice(1)
          .map((one) => one ?? 32)
          .join(", ")}] }`,
      );
    return [shape[0], ...lengths];
  });
}

/** Gives a layer another's weights. */
function copyWeights(from: tf.layers.Layer, to: tf.layers.Layer, name: string): void {
  const [given, wanted] = [from.getWeights(), to.getWeights()];
  const wrong = given.findIndex((weight, i) => weight.shape.join() !== wanted[i]?.shape.join());
  if (wrong >= 0 || given.length !== wanted.length)
    throw new LutnnError(
      `fromLayersModel: inputShape must leave the weights' shapes as they are (${name} has ${given[wrong]?.shape.join("×")} and would need ${wanted[wrong]?.shape.join("×")}); a network that flattens its images takes the size that it was trained with`,
    );
  to.setWeights(given);
}

/**
 * A network to train and convert out of any layers model of TensorFlow.js: one in memory, or a saved one by its `model.json`
 * or folder. The given network stays as it is; the new one has its weights, nested networks laid open, sizes of inputs fixed
 * where `inputShape` says them, and batch norms that train by the fast path. Any number of inputs and outputs.
 *
 * Throws LutnnError on a file that is none, on classes that are not known, and on sizes that are open or do not fit.
 */
export async function fromLayersModel(
  source: string | tf.LayersModel,
  options: FromLayersModelOptions = {},
): Promise<tf.LayersModel> {
  if (typeof source !== "string" && !(source instanceof tf.LayersModel))
    throw new LutnnError(
      `fromLayersModel: the network must be a tf.LayersModel or a path (got ${source === null ? "null" : typeof source}); fromOnnx reads ONNX files`,
    );
  const model = typeof source === "string" ? await load(source) : source;
  try {
    const graph = new NetworkGraph(model);
    const made = assembleNetwork(graph, (name, layer) => freshLayer(layer, name), shapesOf(graph, options));
    const layers = new NetworkGraph(made).layers;
    for (const [name, layer] of graph.layers) copyWeights(layer, layers.get(name)!, name);
    return made;
  } finally {
    if (typeof source === "string") model.dispose();
  }
}
