import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { exportFaults } from "../layers/exportFaults";
import { NetworkGraph } from "../layers/graph";
import { makesMask } from "../layers/kinds/index";
import { checkIntegerLength } from "../pq/integerCodes";
import type { TaskName } from "../tasks/derive";
import type { Task } from "../tasks/task";
import { knownBatchNormWarning } from "../training/batchNormWarning";
import { taskOf } from "../training/taskOf";
import { checkNetwork } from "./checkNetwork";
import { Conversion } from "./conversion";
import { History } from "./history";
import { type Profile, profileOf } from "./profile";
import { Named, recordOf } from "./record";
import { announceConversion } from "./registry";
import { initialState } from "./state";
import { chooseTargets, type Target, type TargetOptions } from "./targets";

export interface ConvertOptions extends TargetOptions {
  /** `paper`: as published; `plus` (default): ours; or a profile of one's own, made from {@link profiles}. */
  profile?: "paper" | "plus" | Profile;
  /** What the network is for, where its end does not tell, or a task of one's own. */
  task?: TaskName | Task;
  /** False converts a network that no file can hold, to train and measure it alone. Default true. */
  exportable?: boolean;
}

/** The layers' and profile's limits that do not stop a conversion, a sentence each. */
export function remarksOn({ tableBits }: Profile): string[] {
  return tableBits === "float" || tableBits > 8
    ? [
        `tables of ${tableBits === "float" ? "float32" : `${tableBits} bits`} can be trained and measured, not saved`,
      ]
    : [];
}

/** Throws LutnnError where the network could be converted but not written; every fault is a sentence of it. */
export function checkExportable(graph: NetworkGraph): void {
  const faults = exportFaults(graph);
  if (faults.length > 0)
    throw new LutnnError(
      `convert: ${graph.name} could not be saved: ${faults.join("; ")}; with { exportable: false } it can be converted and trained all the same`,
    );
}

/**
 * TensorFlow.js lets no mask into or out of a nested network; laid open, as a conversion needs it, masks would cross.
 * Throws LutnnError where that could happen.
 */
function checkMasks(graph: NetworkGraph): void {
  const maker = graph.nodes.find(({ layer }) => makesMask(layer));
  const nested = graph.nodes.find(({ around }) => around.length > 0);
  if (maker && nested)
    throw new LutnnError(
      `convert: ${graph.name} must not have both masks and nested networks (${maker.name}, a ${maker.layer.getClassName()}, makes a mask and ${nested.around[0]} is nested); build the network without nesting, or take the mask as an input`,
    );
}

/** Throws LutnnError where a profile's codes are of no known kind, or in int8 and a layer's sub-vectors too long for them. */
function checkCodes({ codes }: Profile, targets: readonly Target[]): void {
  if (codes !== "float32" && codes !== "int8")
    throw new LutnnError(
      `convert: codes of a profile must be "float32" or "int8" (got ${JSON.stringify(codes)}); make it from lutnn.profiles`,
    );
  if (codes === "int8")
    for (const { name, subvectorLength } of targets) checkIntegerLength(`convert: ${name}`, subvectorLength);
}

/** Throws LutnnError where a profile's layers cannot share codebooks as it says. */
function checkShared({ sharedCodebooks = false, calibrate }: Partial<Profile>): void {
  if (typeof sharedCodebooks !== "boolean")
    throw new LutnnError(
      `convert: sharedCodebooks of a profile must be true or false (got ${JSON.stringify(sharedCodebooks)}); make it from lutnn.profiles`,
    );
  const steps = calibrate?.refineSteps ?? 0;
  if (sharedCodebooks && steps > 0)
    throw new LutnnError(
      `convert: refineSteps of a profile whose layers share codebooks must be 0, since it moves each layer's centroids alone (got ${steps}); fineTune trains them together`,
    );
}

/**
 * Prepares a network's conversion; nothing is learnt or replaced yet. Any `tf.LayersModel` with inputs of fixed size:
 * several inputs and outputs, nested networks and layers used again included. Throws LutnnError on whatever a later
 * step could not do, and on what is no network, with the call that opens it (a path, a file's bytes).
 */
export function convert(model: tf.LayersModel, options: ConvertOptions = {}): Conversion {
  const conversion = prepare(model, options);
  announceConversion(conversion);
  return conversion;
}

/** The same for a conversion that is nobody's but the caller's: no panel hears of it. */
export function prepare(model: tf.LayersModel, options: ConvertOptions = {}): Conversion {
  checkNetwork("convert", model);
  const profile = profileOf(options.profile);
  const graph = new NetworkGraph(model);
  checkMasks(graph);
  if (options.exportable ?? true) checkExportable(graph);
  const targets = chooseTargets(graph, options);
  const task = taskOf(model, options.task, "convert");
  checkCodes(profile, targets);
  checkShared(profile);
  const names = targets.map(({ name }) => name);
  const warning = knownBatchNormWarning(model);
  if (warning) process.emitWarning(warning, "LutnnWarning");
  const history = new History([{ id: 0, label: "convert", parent: null, state: initialState(names) }]);
  return new Conversion({
    graph,
    profile,
    targets,
    task,
    taskName: typeof options.task === "string" ? options.task : null,
    history,
    remarks: [...remarksOn(profile), ...(warning ? [warning] : [])],
    beginning: {
      record: recordOf("convert", [new Named(model, `the network ${model.name}`), { ...options }]),
      states: 1,
    },
  });
}
