import { type Conversion, tf } from "lutnn";
import { valuesOf } from "../../../kernel/lib/compute/valuesOf";
import type { ExampleSource } from "../../../kernel/lib/datasets/examples";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { type LinearOperator, linearOperator } from "../../../kernel/lib/layers/linearOperator";
import { capturedInputs, fitsOf, rowsOfKMeans, rowsOfMaddness } from "./capture";
import { must } from "./must";
import { predict } from "./outputs";

// Every method gives each layer the inputs that it really sees: what TensorFlow.js itself lets the layer receive.

/** Of a column's sum of squares: the batch is the same, so only sums in another order differ. */
const columnTolerance = 1e-4;

/** Names of the layers to be calibrated, a network, and what it is computed on. */
interface Calibrated {
  model: tf.LayersModel;
  inputs: tf.Tensor[];
  names: readonly string[];
}

/** The rows (N, D) that each layer receives in a network, call by call. */
function receivedRows(
  network: tf.LayersModel,
  { model, inputs, names }: Calibrated,
): Map<string, Float32Array[]> {
  const graph = new NetworkGraph(model);
  const inside = new NetworkGraph(network).layers;
  const layers = new Map(names.map((name) => [name, inside.get(name)!]));
  const received = capturedInputs(layers, () => predict(network, inputs));
  return new Map(
    [...received].map(([name, calls]) => {
      const operator = operatorOf(graph, name);
      const rows = calls.map((x) => valuesOf(() => operator.rows(x)));
      tf.dispose(calls);
      return [name, rows];
    }),
  );
}

const operatorOf = (graph: NetworkGraph, name: string): LinearOperator =>
  linearOperator(graph.nodes.find((node) => node.name === name)!);

/** N, and Σ x and Σ x² of each column of rows (N, length): the same for the same rows in any order. */
function columns(rows: readonly Float32Array[], length: number): number[] {
  const sums = new Array<number>(2 * length).fill(0);
  let count = 0;
  for (const part of rows) {
    count += part.length / length;
    part.forEach((value, i) => {
      sums[i % length] += value;
      sums[length + (i % length)] += value * value;
    });
  }
  return [count, ...sums];
}

function alike(got: readonly number[], wanted: readonly number[]): boolean {
  const allowed = columnTolerance * Math.max(1, ...wanted.map(Math.abs));
  return wanted.length === got.length && wanted.every((value, i) => Math.abs(value - got[i]) <= allowed);
}

/** Methods that look at each layer in the dense network alone: k-means and both forms of Maddness. */
export async function checkRowsAlone(
  conversion: Conversion,
  data: ExampleSource,
  calibrated: Calibrated,
): Promise<void> {
  const { model, names } = calibrated;
  const graph = new NetworkGraph(model);
  const received = receivedRows(model, calibrated);
  const found = {
    kmeans: await rowsOfKMeans(() => conversion.calibrate(data, { method: "kmeans" })),
    maddness: await rowsOfMaddness(() => conversion.calibrate(data, { method: "maddness" })),
    maddnessFast: await rowsOfMaddness(() => conversion.calibrate(data, { method: "maddnessFast" })),
  };
  for (const [method, rows] of Object.entries(found))
    names.forEach((name, i) => {
      const { inputLength } = operatorOf(graph, name);
      const [got, wanted] = [[rows[i]], received.get(name)!].map((one) => columns(one, inputLength));
      must(
        alike(got, wanted),
        `${method} saw for ${name} ${got[0]} rows ${got}, and the layer receives ${wanted[0]}: ${wanted}`,
        model,
      );
    });
}

/** Rows (N, D) and outputs (N, M) beside each other, with the product of their sums: it tells which belong together. */
function beside(inputs: Float32Array, length: number, outputs: Float32Array, width: number): Float32Array {
  const count = inputs.length / length;
  const sum = (values: Float32Array) => values.reduce((all, value) => all + value, 0);
  const rows = Array.from({ length: count }, (_, i) => {
    const [x, y] = [
      inputs.subarray(i * length, (i + 1) * length),
      outputs.subarray(i * width, (i + 1) * width),
    ];
    return [...x, ...y, sum(x) * sum(y)];
  });
  return Float32Array.from(rows.flat());
}

/**
 * Least squares looks at a layer's first call in the converted network and at its later ones in the dense network; what
 * it wants is what the dense layer gives. Afterwards the conversion is replaced.
 */
export async function checkRowsOfFits(
  conversion: Conversion,
  data: ExampleSource,
  calibrated: Calibrated,
): Promise<void> {
  const { model, names } = calibrated;
  const graph = new NetworkGraph(model);
  const fits = await fitsOf(() => conversion.calibrate(data, { method: "leastSquares" }));
  const dense = receivedRows(model, calibrated);
  await conversion.replaceAll();
  const converted = receivedRows(conversion.model, calibrated);
  names.forEach((name, i) => {
    const operator = operatorOf(graph, name);
    const { inputLength } = operator;
    const { inputs, wanted, outputs } = fits[i];
    const given = (rows: Float32Array) =>
      valuesOf(() =>
        tf.matMul(tf.tensor2d(rows, [rows.length / inputLength, inputLength]), operator.weight()),
      );
    const calls = dense.get(name)!;
    const results = calls.map(given);
    const pair = (x: Float32Array, call: number) => beside(x, inputLength, results[call], outputs);
    const width = inputLength + outputs + 1;
    const got = columns([beside(inputs, inputLength, wanted, outputs)], width);
    // Which call comes first may differ between networks: TensorFlow.js orders those that do not depend on each other.
    const possible = calls.flatMap((x, first) =>
      converted
        .get(name)!
        .filter((rows) => rows.length === x.length)
        .map((rows) =>
          columns(
            calls.map((own, call) => pair(call === first ? rows : own, call)),
            width,
          ),
        ),
    );
    must(
      possible.some((one) => alike(got, one)),
      `leastSquares saw for ${name} ${got[0]} rows ${got}, and the layer receives ${possible.join(" or ")}`,
      model,
    );
  });
}
