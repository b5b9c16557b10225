import { inference, LutnnError, tf } from "lutnn";
import { runFile } from "../../../kernel/lib/inference/fileValues";
import { assembleNetwork, freshLayer } from "../../../kernel/lib/layers/assemble";
import { exportFaults } from "../../../kernel/lib/layers/exportFaults";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { GraphRun, NetworkGraph } from "../../../kernel/lib/layers/graph";
import { isReplaceable, linearOperator } from "../../../kernel/lib/layers/linearOperator";
import { withLookups } from "../inference/lookupNetwork";
import { checkConversion } from "./conversionProperties";
import { describeNetwork } from "./describeNetwork";
import { must } from "./must";
import { floats, predict, sameBits } from "./outputs";
import { buildNetwork, type NetworkPlan, randomInputs } from "./randomNetwork";
import { checkRemainder } from "./remainderProperties";

/** Between tf.js and ONNX Runtime over a whole network, relative to the largest output. */
const wholeNetwork = 1e-4;
const examples = 3;
/** One network of so many is converted: that takes longer than everything else. */
const conversionsOf = 3;
/** One of so many is written with what is dense in INT8. */
const remaindersOf = 5;

/** What came of a plan: no network, one that tf.js itself cannot run, one that no file can hold, one that a file holds. */
export type Outcome = "nothing" | "not run" | "refused" | "exported";

/** Assembled anew with nothing replaced, and run call by call, a network gives the same bits. */
function checkIdentity(model: tf.LayersModel, inputs: tf.Tensor[], wanted: tf.Tensor[]): void {
  const graph = new NetworkGraph(model);
  const run = new GraphRun(graph);
  tf.tidy(() => sameBits("GraphRun", model, wanted, run.finish(run.start(inputs))));
  const twin = assembleNetwork(graph, (name, layer) => freshLayer(layer, name));
  for (const [name, layer] of new NetworkGraph(twin).layers)
    layer.setWeights(graph.layers.get(name)!.getWeights());
  tf.tidy(() => sameBits("assembleNetwork", model, wanted, predict(twin, inputs)));
}

/** What cannot be written is said in whole sentences that name the place, and never left to somebody else's error. */
function checkRefusal(model: tf.LayersModel, faults: string[]): void {
  const graph = new NetworkGraph(model);
  const places = [...graph.nodes.map(({ key }) => key), ...graph.inputs.map(({ name }) => `input ${name}`)];
  for (const fault of faults)
    must(
      places.some((place) => fault.startsWith(place)) && !fault.includes("\n"),
      `no sentence: ${fault}`,
      model,
    );
  try {
    exportOnnx(model);
  } catch (error) {
    must(error instanceof LutnnError, `a raw error instead of a sentence: ${error}`, model);
    return;
  }
  must(false, `faults, but a file: ${faults.join("; ")}`, model);
}

async function checkExport(model: tf.LayersModel, inputs: tf.Tensor[], wanted: tf.Tensor[]): Promise<void> {
  const bytes = exportOnnx(model);
  const got = await runFile(bytes, inputs);
  wanted.forEach((y, i) => {
    const [a, b] = [floats(y), floats(got[i])];
    must(
      y.shape.join() === got[i].shape.join(),
      `the file's output ${i} has the shape ${got[i].shape}`,
      model,
    );
    const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    const worst = a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at])), 0);
    must(worst / largest < wholeNetwork, `the file's output ${i} differs by ${worst} of ${largest}`, model);
  });
  tf.dispose(got);
  const check = await inference.checkFile(bytes, model, inputs);
  must(check.ok, check.sentence, model);
}

/** Some of a network's layers and a V for each. */
export function someLookups(model: tf.LayersModel, seed: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (const node of new NetworkGraph(model).nodes) {
    if (node.name in found || !isReplaceable(node.layer) || (seed + node.name.length) % 3 === 0) continue;
    const { inputLength, filterArea } = linearOperator(node);
    const groups = inputLength / filterArea;
    found[node.name] = groups % 2 === 0 && seed % 2 === 0 ? 2 * filterArea : filterArea;
  }
  return found;
}

/** Codes in int8, for inputs that may have any sign. */
const bytes = { scale: Math.fround(0.03), zeroPoint: 128 };

/**
 * With layers looked up, the file is the network's: up to near ties, of which codes in int8 have none. Returns the network
 * with them.
 */
async function checkConverted(
  model: tf.LayersModel,
  inputs: tf.Tensor[],
  lookups: Record<string, number>,
  hasIntegers: boolean,
): Promise<tf.LayersModel> {
  const converted = withLookups(model, lookups, hasIntegers ? bytes : undefined);
  const check = await inference.checkFile(exportOnnx(converted), converted, inputs);
  must(check.ok, check.sentence, converted);
  must(!hasIntegers || check.explained === 0, "near ties of codes in int8", converted);
  return converted;
}

/** Adds the kinds of a network's layers, as tf.js calls them. */
function noteKinds(model: tf.LayersModel, kinds: Set<string>): void {
  for (const { layer } of new NetworkGraph(model).nodes) kinds.add(layer.getClassName());
}

/** Every property of a network, on inputs that it is known to compute. */
async function checkAll(
  model: tf.LayersModel,
  inputs: tf.Tensor[],
  wanted: tf.Tensor[],
  seed: number,
  written: Set<string>,
): Promise<Outcome> {
  checkIdentity(model, inputs, wanted);
  const faults = exportFaults(new NetworkGraph(model));
  if (faults.length > 0) {
    checkRefusal(model, faults);
    return "refused";
  }
  await checkExport(model, inputs, wanted);
  const lookups = someLookups(model, seed);
  const converted = await checkConverted(model, inputs, lookups, seed % 4 < 2);
  for (const network of [model, converted]) noteKinds(network, written);
  // Codes in float32 may be other ones where two centroids are equally near.
  if (seed % remaindersOf === 0) await checkRemainder(seed % 4 < 2 ? converted : model, inputs);
  if (seed % conversionsOf === 0)
    await checkConversion(
      model,
      lookups,
      (count) => randomInputs(model, count, seed),
      seed % (2 * conversionsOf) === 0 ? "int8" : "float32",
    );
  return "exported";
}

/** What a network makes of inputs; null when TensorFlow.js cannot compute it, or not in finite numbers. */
export function outputsOf(model: tf.LayersModel, inputs: tf.Tensor[]): tf.Tensor[] | null {
  try {
    const outputs = predict(model, inputs);
    const finite = outputs.every((y) => floats(y).every(Number.isFinite));
    if (finite) return outputs;
    tf.dispose(outputs);
  } catch {
    // said by the outcome
  }
  return null;
}

/** Disposes what was made since then: the variables of networks, which TensorFlow.js keeps for ever. */
export function disposeVariables(before: ReadonlySet<string>): void {
  for (const [name, variable] of Object.entries(tf.engine().state.registeredVariables))
    if (!before.has(name)) variable.dispose();
}

/** Whether the network of a plan has a layer of one of these kinds. */
export function hasKind(plan: NetworkPlan, kinds: ReadonlySet<string>): boolean {
  const before = new Set(Object.keys(tf.engine().state.registeredVariables));
  const model = buildNetwork(plan);
  const found =
    model && [...new NetworkGraph(model).layers.values()].some((one) => kinds.has(one.getClassName()));
  disposeVariables(before);
  return found ?? false;
}

/**
 * Checks every property of one random network; what the library keeps of it in memory is a failure too.
 * @param written gets the kinds of layers that a file was written of and found right
 */
export async function checkNetwork(plan: NetworkPlan, written: Set<string>): Promise<Outcome> {
  const before = new Set(Object.keys(tf.engine().state.registeredVariables));
  const tensors = tf.memory().numTensors;
  const model = buildNetwork(plan);
  const inputs = model ? randomInputs(model, examples, plan.seed) : [];
  const wanted = model && outputsOf(model, inputs);
  let kept = 0;
  let outcome: Outcome;
  try {
    if (!model) outcome = "nothing";
    else if (!wanted) outcome = "not run";
    else outcome = await checkAll(model, inputs, wanted, plan.seed, written);
  } catch (error) {
    const raw = !(error instanceof Error && error.message.includes("\n  outputs: "));
    throw raw ? new Error(`${error}\n${describeNetwork(model!)}`, { cause: error }) : error;
  } finally {
    tf.dispose([inputs, wanted ?? []]);
    disposeVariables(before);
    kept = tf.memory().numTensors - tensors;
  }
  if (kept > 0) throw new Error(`${kept} tensors were kept in memory`);
  return outcome;
}
