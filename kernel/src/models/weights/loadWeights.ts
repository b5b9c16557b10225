import { extname } from "node:path";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../../errors";
import { quoted } from "../../files/quoted";
import { readFileWhole } from "../../files/readFile";
import { readTensors } from "../../files/safetensors";
import type { NamedTensor } from "../../files/tensorTypes";
import { type GraphNode, NetworkGraph } from "../../layers/graph";
import { readOnnxFile } from "../onnx/readFile";
import { readTensor } from "../onnx/readTensor";
import { faultsText } from "./faultsText";
import { type LayerNames, namesFor } from "./names";
import { placesOf, type WeightPlace, writeWeight } from "./places";

export interface LoadWeightsOptions {
  /** Default: torchvision's for `models.resnet18` and `models.vgg11`, else the layers' own, with `.` for `/`. */
  names?: LayerNames;
  /** Names of layers that keep the weights they have, such as a head for other classes. */
  keep?: readonly string[];
}

export interface LoadedWeights {
  /** Names of the layers that got weights of the file. */
  loaded: string[];
  /** Names of the layers with weights that the file holds nothing for. */
  kept: string[];
  /** Tensors of the file that the network has no place for. */
  unused: string[];
}

async function tensorsOf(file: string): Promise<NamedTensor[]> {
  const bytes = await readFileWhole(file, "loadWeights");
  if (extname(file).toLowerCase() !== ".onnx") return readTensors(bytes, file).tensors;
  const { model, what } = readOnnxFile(bytes, file, "loadWeights");
  return model.graph!.initializer.flatMap((tensor) => {
    const { name, type, dims, data } = readTensor(tensor, what);
    // Numbers alone and whole ones are settings of nodes, as shapes are.
    if (type !== "float32" || dims.length === 0) return [];
    return [{ name: name!, shape: dims, values: Float32Array.from(data) }];
  });
}

/** The batch norm that alone reads what a call makes, or null. */
function normBehind(graph: NetworkGraph, [call, ...more]: readonly GraphNode[]): string | null {
  const readers = more.length > 0 ? [] : graph.readersOf(call.outputs[0]);
  const isOutput = graph.outputs.some(({ id }) => id === call.outputs[0]);
  const [reader] = readers;
  const isNorm =
    reader?.layer.getClassName() === "BatchNormalization" && graph.callsOf(reader.name).length === 1;
  return readers.length === 1 && !isOutput && isNorm ? reader.name : null;
}

/**
 * Gives a network the weights of a file: safetensors in float32 or float16, or the initialisers of an ONNX file, in the
 * layouts of PyTorch (convolutions (M, channels, height, width), dense layers (M, D)). A bias in the file of a convolution
 * that has none and stands before a batch norm becomes part of the norm's mean. Nothing is changed unless everything fits.
 *
 * A dense layer behind a flattened image reads channels last; where the file's network flattens channels first, `fromOnnx`
 * on its export keeps the order.
 *
 * Throws LutnnError that names all tensors that are missing, of another shape, or have no place.
 */
export async function loadWeights(
  model: tf.LayersModel,
  file: string,
  { names, keep = [] }: LoadWeightsOptions = {},
): Promise<LoadedWeights> {
  const graph = new NetworkGraph(model);
  const { layer: nameOf, optional, others } = namesFor("loadWeights", model, names);
  const given = new Map((await tensorsOf(file)).map((tensor) => [tensor.name, tensor]));
  const unknownKept = keep.filter((name) => !graph.layers.has(name));
  if (unknownKept.length > 0)
    throw new LutnnError(
      `loadWeights: keep must name layers of ${model.name} (got ${unknownKept.join(", ")}); they are ${[...graph.layers.keys()].join(", ")}`,
    );
  const missing: string[] = [];
  const wrong: string[] = [];
  const used = new Set<string>();
  const result: LoadedWeights = { loaded: [], kept: [], unused: [] };
  const found: { place: WeightPlace; values: Float32Array }[] = [];
  const take = (name: string, shape: readonly number[]): Float32Array | null => {
    const tensor = given.get(name)!;
    used.add(name);
    if (tensor.values instanceof Float32Array && tensor.shape.join() === shape.join()) return tensor.values;
    const got = tensor.values instanceof Float32Array ? tensor.shape.join("×") : "whole numbers";
    wrong.push(`${name} of ${got || "one number"} where the network has ${shape.join("×")}`);
    return null;
  };
  /** By batch norm: a bias that is to be taken off its mean. */
  const shifts = new Map<string, Float32Array>();
  for (const [name, layer] of graph.layers) {
    const places = placesOf(layer);
    const inFile = keep.includes(name) ? null : nameOf(name);
    if (places.length === 0) continue;
    const isThere = places.some(({ part }) => given.has(`${inFile}.${part}`));
    if (inFile === null || (optional.includes(name) && !isThere)) {
      result.kept.push(name);
      continue;
    }
    result.loaded.push(name);
    for (const place of places) {
      const tensor = `${inFile}.${place.part}`;
      if (!given.has(tensor)) missing.push(tensor);
      else {
        const values = take(tensor, place.shape);
        if (values) found.push({ place, values });
      }
    }
    const bias = `${inFile}.bias`;
    const norm = normBehind(graph, graph.callsOf(name));
    if (given.has(bias) && !used.has(bias) && norm !== null) {
      const outputs = places[0].shape[0];
      const values = take(bias, [outputs]);
      if (values) shifts.set(norm, values);
    }
  }
  result.unused = [...given.keys()].filter((name) => !used.has(name));
  const keptNames = new Set(keep.map(nameOf));
  const unknown = result.unused.filter(
    (name) => !others.test(name) && !keptNames.has(name.slice(0, name.lastIndexOf("."))),
  );
  const faults = [
    ["missing", missing],
    ["of another shape or type", wrong],
    ["without a place", unknown],
  ] as const;
  const said = faultsText(faults);
  if (said !== "")
    throw new LutnnError(
      `loadWeights: the tensors in ${quoted(file)} must be those of ${model.name} (${said}); ${advice(missing.length, wrong)}`,
    );
  for (const { place, values } of found) writeWeight(place, values);
  for (const [norm, bias] of shifts) takeOffMean(graph.layers.get(norm)!, bias);
  return result;
}

const advice = (missing: number, wrong: readonly string[]): string =>
  wrong.length > 0 && missing === 0
    ? "build the network with the file's sizes, or { keep: [layer] } leaves a layer as it is"
    : "{ names } says what the file calls a layer, and fromOnnx builds a network from an ONNX file";

/** A norm of x + bias is one of x whose mean is so much smaller. */
function takeOffMean(norm: tf.layers.Layer, bias: Float32Array): void {
  const { variable } = placesOf(norm).find(({ part }) => part === "running_mean")!;
  tf.tidy(() => {
    variable.write(tf.sub(variable.read(), tf.tensor1d(bias)));
  });
}
