import { type Conversion, tf } from "lutnn";
import { valuesOf } from "../../../kernel/lib/compute/valuesOf";
import { methodNames } from "../../../kernel/lib/conversion/methods/index";
import type { Target } from "../../../kernel/lib/conversion/targets";
import type { ExampleSource } from "../../../kernel/lib/datasets/examples";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { type LinearOperator, linearOperator } from "../../../kernel/lib/layers/linearOperator";
import { capturedInputs, fitsOf, rowsOfKMeans, rowsOfMaddness, rowsOfSampling } from "./capture";
import { must } from "./must";
import { predict } from "./outputs";
import { maskPrefix } from "./pool";

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
      const isLeftOut = paddingOf(network, inputs);
      const rows = calls.map((x) => {
        const all = valuesOf(() => operator.rows(x));
        const isByPosition = x.rank === 3 && all.length / operator.inputLength === isLeftOut?.length;
        return isByPosition ? all.filter((_, i) => !isLeftOut![Math.floor(i / operator.inputLength)]) : all;
      });
      tf.dispose(calls);
      return [name, rows];
    }),
  );
}

/**
 * Which positions (B·T) are padding: by the network's only mask, where noise in their place reaches no output but those of
 * the positions themselves. Null where it does.
 */
function paddingOf(network: tf.LayersModel, inputs: tf.Tensor[]): boolean[] | null {
  const masks = inputs.filter((_, i) => network.inputNames[i].startsWith(maskPrefix));
  if (masks.length !== 1) return null;
  const real = [...masks[0].dataSync()];
  const positions = masks[0].shape[1]!;
  const noisy = inputs.map((x) => {
    if (x === masks[0] || x.shape[1] !== positions) return x;
    const each = x.size / real.length;
    const integers = x.dtype === "int32";
    const values = [...x.dataSync()].map((value, i) => {
      if (real[Math.floor(i / each)]) return value;
      return integers ? (value + 1 + (i % 3)) % 5 : value * -3 + (i % 7);
    });
    return tf.tensor(values, x.shape, x.dtype as "int32");
  });
  const [before, after] = [inputs, noisy].map((feeds) => predict(network, feeds));
  const isSame = before.every((y, i) => {
    const [wanted, got] = [y, after[i]].map((one) => [...one.dataSync()]);
    const each = y.rank > 1 && y.shape[1] === positions ? y.size / real.length : 0;
    const most = Math.max(...wanted.map(Math.abs));
    return wanted.every(
      (value, at) => Math.abs(value - got[at]) <= 1e-5 * most || (each > 0 && !real[Math.floor(at / each)]),
    );
  });
  const isReached = noisy.every((x, i) => x === inputs[i]);
  tf.dispose([before, after, noisy.filter((x, i) => x !== inputs[i])]);
  return isSame && !isReached ? real.map((value) => value === 0) : null;
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

/** Methods that look at each layer in the dense network alone: all but least squares. */
export async function checkRowsAlone(
  conversion: Conversion,
  data: ExampleSource,
  calibrated: Calibrated,
): Promise<void> {
  const { model, names } = calibrated;
  const graph = new NetworkGraph(model);
  const received = receivedRows(model, calibrated);
  // Layers that receive the same rows learn one codebook, by one call.
  const targets = Reflect.get(conversion, "targets") as readonly Pick<Target, "name" | "codebook">[];
  const codebookOf = new Map(targets.map(({ name, codebook }) => [name, codebook]));
  const codebooks = [...new Set(names.map((name) => codebookOf.get(name)!))];
  const learnt = await rowsOfKMeans(() => conversion.calibrate(data, { method: "kmeans" }));
  must(learnt.length === codebooks.length, `${learnt.length} codebooks for ${codebooks}`, model);
  const found = {
    kmeans: names.map((name) => learnt[codebooks.indexOf(codebookOf.get(name)!)]),
    maddness: await rowsOfMaddness(() => conversion.calibrate(data, { method: "maddness" })),
    maddnessFast: await rowsOfMaddness(() => conversion.calibrate(data, { method: "maddnessFast" })),
    randomRows: await rowsOfSampling(() => conversion.calibrate(data, { method: "randomRows" })),
  };
  const compared = [...Object.keys(found), "leastSquares"];
  must(compared.sort().join() === [...methodNames].sort().join(), `methods compared: ${compared}`, model);
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
