import * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../compute/valuesOf";
import type { GraphNode, GraphRun, Values } from "../layers/graph";
import { IntegerAttention } from "../layers/integerAttention";
import { IntegerLinear } from "../layers/integerLinear";
import { normAffine } from "../layers/kinds/normalization";
import { LookupLayer } from "../layers/lookupLayer";
import { type Finish, NearTies } from "./nearTies";
import {
  absoluteOf,
  changed,
  distance,
  EFFECTS,
  INPUT_CHANGE,
  largestOfExamples,
  RELATIVE,
} from "./rounding";

/** What a file's result of a call is beside that of the network's layer on the same inputs. */
export interface CallCheck {
  ok: boolean;
  /** Largest difference that no near tie explains, and the largest output beside it. */
  worst: number;
  size: number;
  /** Rows of a lookup that differ because two centroids were nearly equally near. */
  explained: number;
}

/** The values as floats, of integers and truth values too. */
function floats(x: tf.Tensor): Float32Array {
  const values = x.dataSync();
  return values instanceof Float32Array ? values : Float32Array.from(values);
}

/** Index of the first entry that differs by more than is allowed for its example, or −1; and the largest difference. */
function compare(ours: Float32Array, theirs: Float32Array, allowed: Float32Array) {
  const size = ours.length / allowed.length;
  const outside: number[] = [];
  let worst = 0;
  for (let i = 0; i < ours.length; i++) {
    const difference = distance(ours[i], theirs[i]);
    if (difference > worst) worst = difference;
    if (difference > allowed[Math.floor(i / size)]) outside.push(i);
  }
  return { outside, worst };
}

const most = (values: Float32Array): number => values.reduce((a, b) => Math.max(a, b), 0);

/**
 * Computes a call by the network's own layer on the values that the file gave its inputs, and compares with the value that
 * the file gave its output. Values may gain masks; the layer's results are added to them and are the caller's to replace.
 * @param behind calls that the file computes together with it, one behind the other: the last one's output is compared
 * @param theirs what the file gave for each output, as laid out in tf.js
 */
export function checkCall(
  run: GraphRun,
  node: GraphNode,
  behind: readonly GraphNode[],
  values: Values,
  theirs: tf.Tensor[],
): CallCheck {
  let ours = run.step(node, values);
  for (const one of behind) ours = run.step(one, values);
  const checks = ours.map((y, i) => checkOutput(run, node, behind, values, i, y, theirs[i]));
  return {
    ok: checks.every(({ ok }) => ok),
    worst: Math.max(...checks.map(({ worst }) => worst)),
    size: Math.max(...checks.map(({ size }) => size)),
    explained: checks.reduce((sum, { explained }) => sum + explained, 0),
  };
}

function checkOutput(
  run: GraphRun,
  node: GraphNode,
  behind: readonly GraphNode[],
  values: Values,
  output: number,
  ours: tf.Tensor,
  theirs: tf.Tensor,
): CallCheck {
  const examples = ours.shape[0] ?? 1;
  const [a, b] = [floats(ours), floats(theirs)];
  const sizes = largestOfExamples(a, examples);
  const size = most(sizes);
  if (ours.shape.join() !== theirs.shape.join())
    return { ok: false, worst: Number.POSITIVE_INFINITY, size, explained: 0 };
  const rounding = sizes.map((value) => RELATIVE * value + absoluteOf(node.layer));
  if (node.layer instanceof IntegerAttention)
    return checkAttention(node.layer, values.inputsOf(node), { a, b, rounding, size });
  const { outside, worst } = compare(a, b, rounding);
  if (outside.length === 0) return { ok: true, worst, size, explained: 0 };
  if (node.layer instanceof LookupLayer)
    return { ...checkRows(node.layer, behind, values.inputsOf(node)[0], ours, theirs), size };
  const effect = tf.tidy(() => {
    const y = floats(slightlyOther(run, node, behind, values)[output]);
    const differences = y.map((value, i) => distance(value, a[i]));
    return tf.tensor1d(largestOfExamples(differences, examples));
  });
  const effects = floats(effect);
  effect.dispose();
  const allowed = rounding.map((value, n) => value + EFFECTS * effects[n]);
  return { ok: compare(a, b, allowed).outside.length === 0, worst, size, explained: 0 };
}

/** Attention in INT8: the numbers of a head of a row may differ by the shares that are next to a half. */
function checkAttention(
  layer: IntegerAttention,
  inputs: tf.Tensor[],
  { a, b, rounding, size }: { a: Float32Array; b: Float32Array; rounding: Float32Array; size: number },
): CallCheck {
  const leeway = valuesOf(() => layer.leeway(inputs));
  const rows = leeway.length / rounding.length;
  const allowed = leeway.map((value, i) => value + rounding[Math.floor(i / rows)]);
  const { outside, worst } = compare(a, b, allowed);
  return { ok: outside.length === 0, worst, size, explained: 0 };
}

/**
 * What a call gives of inputs that are changed a little, by which it shows cancellation; of a layer in INT8 whose sums are
 * changed so, behind which rounding begins.
 */
function slightlyOther(
  run: GraphRun,
  node: GraphNode,
  behind: readonly GraphNode[],
  values: Values,
): tf.Tensor[] {
  const { layer } = node;
  const inputs = values.inputsOf(node);
  if (layer instanceof IntegerLinear) {
    const [sums] = changed([layer.sums(inputs[0])]);
    return behind.reduce((y, one) => run.apply(one, y), [layer.finish(sums)]);
  }
  const masks = node.inputs.map((id) => values.masks.get(id));
  return run.apply(
    node,
    changed(inputs),
    undefined,
    masks.find((mask) => mask !== undefined),
  );
}

/** The rows of a lookup that differ: each must be what the lookup gives for nearly equal centroids, on both sides. */
function checkRows(
  layer: LookupLayer,
  behind: readonly GraphNode[],
  x: tf.Tensor,
  ours: tf.Tensor,
  theirs: tf.Tensor,
): Omit<CallCheck, "size"> {
  const lookup = layer.exportLookup();
  const { outputs } = lookup;
  const length = lookup.numCodebooks * lookup.subvectorLength;
  const windows = valuesOf(() => layer.inputRows(x));
  const [a, b] = [ours, theirs].map(floats);
  const activation = tf.layers.activation({
    activation: (layer.getConfig().activation as "linear") ?? "linear",
  });
  const norm = behind.length > 0 ? normAffine(behind[behind.length - 1].layer) : null;
  const finish: Finish = (rows, count) =>
    norm
      ? rows.map((value, i) => value * norm.factor[i % outputs] + norm.offset[i % outputs])
      : valuesOf(() => activation.apply(tf.tensor2d(rows, [count, outputs])) as tf.Tensor);
  const absolute = absoluteOf(layer);
  const ties = new NearTies(
    lookup,
    (finished, unfinished) => {
      const moved = finish(
        unfinished.map((value) => value * (1 + INPUT_CHANGE)),
        1,
      );
      const effect = most(moved.map((value, m) => distance(value, finished[m])));
      return RELATIVE * most(finished.map(Math.abs)) + absolute + EFFECTS * effect;
    },
    finish,
  );
  let explained = 0;
  let worst = 0;
  let ok = true;
  for (let n = 0; n * outputs < a.length; n++) {
    const rows = [a, b].map((y) => y.subarray(n * outputs, (n + 1) * outputs));
    const difference = most(rows[0].map((value, m) => distance(value, rows[1][m])));
    if (difference <= RELATIVE * most(rows[0].map(Math.abs)) + absolute) {
      worst = Math.max(worst, difference);
      continue;
    }
    const row = windows.subarray(n * length, (n + 1) * length);
    if (rows.every((y) => ties.explain(row, y))) explained++;
    else {
      ok = false;
      worst = Math.max(worst, difference);
    }
  }
  return { ok, worst, explained };
}
