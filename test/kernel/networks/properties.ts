import { InferenceSession, inference, LutnnError, tf } from "lutnn";
import { runFile } from "../../../kernel/lib/inference/fileValues";
import { assembleNetwork, freshLayer } from "../../../kernel/lib/layers/assemble";
import { exportFaults } from "../../../kernel/lib/layers/exportFaults";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { GraphRun, NetworkGraph } from "../../../kernel/lib/layers/graph";
import { isReplaceable, linearOperator } from "../../../kernel/lib/layers/linearOperator";
import { withLookups } from "../inference/lookupNetwork";
import { describeNetwork } from "./describeNetwork";
import { buildNetwork, type NetworkPlan, randomInputs } from "./randomNetwork";

/** Between tf.js and ONNX Runtime over a whole network, relative to the largest output. */
const wholeNetwork = 1e-4;
const examples = 3;

/** What came of a plan: no network, one that tf.js itself cannot run, one that no file can hold, one that a file holds. */
export type Outcome = "nothing" | "not run" | "refused" | "exported";

/** Fails with what was wrong and the network. */
function must(holds: boolean, what: string, model: tf.LayersModel): asserts holds {
  if (!holds) throw new Error(`${what}\n${describeNetwork(model)}`);
}

const floats = (x: tf.Tensor): Float32Array => Float32Array.from(x.dataSync());

const bits = (x: tf.Tensor): string => Buffer.from(new Uint8Array(floats(x).buffer)).toString("base64");

const predict = (model: tf.LayersModel, inputs: tf.Tensor[]): tf.Tensor[] => {
  const outputs = model.predict(inputs.length === 1 ? inputs[0] : inputs);
  return Array.isArray(outputs) ? outputs : [outputs];
};

function sameBits(what: string, model: tf.LayersModel, wanted: tf.Tensor[], got: tf.Tensor[]): void {
  wanted.forEach((y, i) => {
    must(
      y.shape.join() === got[i].shape.join(),
      `${what}: another shape of output ${i}: ${got[i].shape}`,
      model,
    );
    must(bits(y) === bits(got[i]), `${what}: other bits of output ${i}`, model);
  });
}

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
  const session = await InferenceSession.create(bytes); // optimised, as users run it
  await session.release();
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
function someLookups(model: tf.LayersModel, seed: number): Record<string, number> {
  const found: Record<string, number> = {};
  for (const node of new NetworkGraph(model).nodes) {
    if (node.name in found || !isReplaceable(node.layer) || (seed + node.name.length) % 3 === 0) continue;
    const { inputLength, filterArea } = linearOperator(node);
    const groups = inputLength / filterArea;
    found[node.name] = groups % 2 === 0 && seed % 2 === 0 ? 2 * filterArea : filterArea;
  }
  return found;
}

/** With layers looked up, the file is the network's up to near ties. */
async function checkConverted(model: tf.LayersModel, inputs: tf.Tensor[], seed: number): Promise<void> {
  const converted = withLookups(model, someLookups(model, seed));
  const check = await inference.checkFile(exportOnnx(converted), converted, inputs);
  must(check.ok, check.sentence, converted);
}

/** Every property of one random network. */
export async function checkNetwork(plan: NetworkPlan): Promise<Outcome> {
  const engine = tf.engine();
  const before = new Set(Object.keys(engine.state.registeredVariables));
  const tensors = tf.memory().numTensors;
  const inputs: tf.Tensor[] = [];
  let leaks = "";
  const leak = (s: string) => {
    leaks += ` ${s} ${tf.memory().numTensors - tensors - Object.keys(engine.state.registeredVariables).length + before.size}`;
  };
  let wanted: tf.Tensor[] = [];
  try {
    const model = buildNetwork(plan);
    leak("build");
    if (!model) return "nothing";
    inputs.push(...randomInputs(model, examples, plan.seed));
    try {
      wanted = predict(model, inputs);
    } catch {
      return "not run";
    }
    if (wanted.some((y) => y.dataSync().some((value) => !Number.isFinite(value)))) return "not run";
    leak("predict");
    checkIdentity(model, inputs, wanted);
    leak("id");
    const faults = exportFaults(new NetworkGraph(model));
    if (faults.length > 0) {
      checkRefusal(model, faults);
      return "refused";
    }
    await checkExport(model, inputs, wanted);
    leak("export");
    await checkConverted(model, inputs, plan.seed);
    leak("conv");
    return "exported";
  } finally {
    tf.dispose([inputs, wanted]);
    for (const [name, variable] of Object.entries(engine.state.registeredVariables))
      if (!before.has(name)) variable.dispose();
    if (tf.memory().numTensors > tensors)
      process.stderr.write(`LEAK ${tf.memory().numTensors - tensors} ${leaks}\n`);
  }
}
