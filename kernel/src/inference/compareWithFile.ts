import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { NetworkGraph } from "../layers/graph";
import type { FileEnd, ImportedNetwork } from "../models/onnx/importNetwork";
import { tooLarge } from "../models/onnx/room";
import { lengthsAfterBatch } from "../models/onnx/value";
import { seededRandom } from "../pq/random";
import { InferenceSession } from "./session";
import type { TensorData } from "./tensorData";

/** Of an output's largest number: what rounding in sums of another order comes to in deep networks. */
const tolerance = 1e-4;
/** Examples of a file that takes any number of them. */
const someExamples = 3;

/** Rows of the smallest table that an input's whole numbers choose from; 2 where they choose from none: masks, segments. */
function rowsFor(graph: NetworkGraph, id: string): number {
  const rows = [Number.POSITIVE_INFINITY];
  for (const { layer, outputs } of graph.readersOf(id)) {
    if (layer.getClassName() === "Embedding") rows.push(Number(layer.getConfig().inputDim));
    if (layer.getClassName() === "Reshape") rows.push(rowsFor(graph, outputs[0]));
  }
  const least = Math.min(...rows);
  return Number.isFinite(least) ? least : 2;
}

/** How many examples a network is compared on: one where three of its largest value would be too much. */
function examplesFor(network: tf.LayersModel): number {
  const values = network.layers.flatMap(({ output }) => output);
  const isLarge = values.some((value) => tooLarge(someExamples, lengthsAfterBatch(value)) !== null);
  return isLarge ? 1 : someExamples;
}

/** Inputs of the network, the same every time: numbers from −1 to 1, whole ones that its tables have. */
function drawInputs({ network, inputs, batch }: ImportedNetwork): tf.Tensor[] {
  const graph = new NetworkGraph(network);
  const examples = batch ?? examplesFor(network);
  return inputs.map(({ name, lengths, dtype }, i) => {
    const random = seededRandom(1, name);
    const shape = [examples, ...(lengths as number[])];
    const rows = rowsFor(graph, graph.inputs[i].id);
    const draw = dtype === "int32" ? () => Math.floor(random() * rows) : () => 2 * random() - 1;
    return tf.tensor(Array.from({ length: tf.util.sizeFromShape(shape) }, draw), shape, dtype);
  });
}

/** A tensor as the file has it: axis i of it is axis order[i] of the tensor, in the type that the file asks for. */
function feed(x: tf.Tensor, order: readonly number[], type: string): TensorData {
  const ordered = x.transpose([...order]);
  const data = ordered.dataSync() as Float32Array | Int32Array;
  ordered.dispose();
  return { data: type === "int64" ? BigInt64Array.from(data, BigInt) : data, dims: ordered.shape };
}

/** The largest distance between two values, and the largest number of the wanted one. */
function distanceOf(a: Float32Array, b: Float32Array): { worst: number; largest: number } {
  let [largest, worst] = [0, 0];
  for (let i = 0; i < a.length; i++) {
    if (!Number.isFinite(a[i]) && Object.is(a[i], b[i])) continue;
    largest = Math.max(largest, Math.abs(a[i]));
    const distance = Math.abs(a[i] - b[i]);
    worst = distance <= worst ? worst : distance; // NaN is the worst
  }
  return { worst, largest };
}

/** One value of the file beside the network's. */
export interface ComparedValue {
  name: string;
  /** Shapes. */
  dims: string;
  got: string;
  /** What a sigmoid or softmax makes, and what such a one is given. */
  isShare: boolean;
  isLogit: boolean;
  /** The largest distance, and the largest number. */
  worst: number;
  largest: number;
}

/**
 * What differs, a sentence each. Shares are measured by 1, and move by at most half of what the numbers do that they are
 * made of: p(1 − p) ≤ ¼ for each of two numbers that move apart. Where those are huge, rounding alone decides the shares.
 */
export function differencesOf(values: readonly ComparedValue[]): string[] {
  const moved = Math.max(0, ...values.filter(({ isLogit }) => isLogit).map(({ worst }) => worst));
  return values.flatMap(({ name, dims, got, isShare, worst, largest: own }) => {
    if (dims !== got) return [`${name} of ${got} instead of ${dims}`];
    const largest = isShare ? Math.max(1, own) : own;
    if (worst <= tolerance * largest + (isShare ? moved / 2 : 0)) return [];
    return [
      `${name}: a difference of ${worst.toPrecision(3)} where the largest number is ${largest.toPrecision(3)}`,
    ];
  });
}

/** The values that are compared: outputs, then what their sigmoids and softmaxes are given. */
const comparedEnds = ({ outputs, logits }: ImportedNetwork): FileEnd[] => [...outputs, ...logits];

/** Names of the values that {@link compareWithFile} asks the file for. */
export const comparedNames = (imported: ImportedNetwork): string[] =>
  comparedEnds(imported).map(({ name }) => name);

function predict(model: tf.LayersModel, inputs: tf.Tensor[]): tf.Tensor[] {
  const made = model.predict(inputs.length === 1 ? inputs[0] : inputs);
  return Array.isArray(made) ? made : [made];
}

/**
 * Throws LutnnError unless an imported network computes what ONNX Runtime computes of its file, on a few inputs.
 * @param bytes of the file, with the outputs of {@link comparedNames}
 */
export async function compareWithFile(
  what: string,
  imported: ImportedNetwork,
  bytes: Uint8Array,
): Promise<void> {
  const { network, inputs: ends } = imported;
  const compared = comparedEnds(imported);
  const session = await InferenceSession.create(bytes, { backend: "onnxruntime" });
  const inputs = drawInputs(imported);
  const model = tf.model({ inputs: network.inputs, outputs: compared.map(({ tensor }) => tensor) });
  const made = predict(model, inputs);
  try {
    const feeds: Record<string, TensorData> = {};
    for (const { name, type } of session.inputs) {
      const place = ends.findIndex((one) => one.name === name);
      feeds[name] = feed(inputs[place], ends[place].order, type);
    }
    const wanted = await session.run(feeds);
    const values = compared.map(({ name, order }, i): ComparedValue => {
      const value = made[i].transpose([...order]);
      const [a, b] = [wanted[name].data as Float32Array, value.dataSync() as Float32Array];
      const isShare = i < imported.outputs.length && imported.shares.has(name);
      const [dims, got] = [wanted[name].dims.join("×"), value.shape.join("×")];
      value.dispose();
      return { name, dims, got, isShare, isLogit: i >= imported.outputs.length, ...distanceOf(a, b) };
    });
    const differences = differencesOf(values);
    if (differences.length > 0)
      throw new LutnnError(
        `${what}: the network must compute what ONNX Runtime computes of the file, to ${tolerance} of the largest number (got ${differences.join("; ")}); please report the file, { check: false } builds the network all the same`,
      );
  } finally {
    tf.dispose(inputs);
    tf.dispose(made);
    await session.release();
  }
}
