import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert, openConversion, type pq, profiles, tf } from "lutnn";
import { ArrayExamples } from "../../../kernel/lib/datasets/arrayExamples";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { findHead } from "../../../kernel/lib/layers/head";
import type { TaskName } from "../../../kernel/lib/tasks/derive";
import type { TargetSpec } from "../../../kernel/lib/tasks/target";
import { checkRowsAlone, checkRowsOfFits } from "./calibrationProperties";
import { floats, predict, sameBits } from "./outputs";

const examples = 6;
const numCentroids = 4;

/** A target that the network's end can learn, and the task where it must be named. */
function targetOf(model: tf.LayersModel): { target: TargetSpec; task?: TaskName } {
  const { nonlinearity, units, positions } = findHead(new NetworkGraph(model));
  const [classes, length] = [units ?? 1, (units ?? 1) * (positions ?? 1)];
  if (nonlinearity === "softmax" && classes > 1)
    return positions === 1
      ? { target: { kind: "class", classes } }
      : { target: { kind: "tokens", classes, length: positions ?? 1 }, task: "tokens" };
  return { target: { kind: "values", length }, task: "regression" };
}

/** The inputs as examples to learn from, with targets of nothing: calibration does not look at them. */
export function examplesOf(
  model: tf.LayersModel,
  inputs: readonly tf.Tensor[],
  target: TargetSpec,
): ArrayExamples {
  const [count] = inputs[0].shape;
  const whole = target.kind === "class" || target.kind === "tokens";
  const each = target.kind === "class" || target.kind === "labels" ? 1 : target.length;
  const arrays = inputs.map((x, i) => {
    const values = x.dtype === "int32" ? Int32Array.from(x.dataSync()) : floats(x);
    return [model.inputNames[i], { shape: x.shape.slice(1), values }] as const;
  });
  return new ArrayExamples({
    name: "random",
    inputs: Object.fromEntries(arrays),
    target,
    targets: whole ? new Int32Array(count * each) : new Float32Array(count * each),
  });
}

/**
 * A conversion of one random network: with nothing replaced it is the network; every method sees what the layers see;
 * the file at the door is right; a stored one reopens with the same bits, by whatever method; and restored, every bit is
 * back.
 * @param lookups names of layers and V
 * @param makeInputs as many examples of the network's inputs as asked
 * @param codes in which numbers they are defined
 */
export async function checkConversion(
  model: tf.LayersModel,
  lookups: Record<string, number>,
  makeInputs: (count: number) => tf.Tensor[],
  codes: pq.CodeKind,
): Promise<void> {
  const names = [...new NetworkGraph(model).layers.keys()].filter((name) => name in lookups);
  if (model.outputs.length > 1 || names.length === 0) return;
  const { target, task } = targetOf(model);
  const inputs = makeInputs(examples);
  const folder = mkdtempSync(join(tmpdir(), "lutnn-networks-"));
  const dense = predict(model, inputs);
  const outputs: tf.Tensor[][] = [dense];
  const now = (network: tf.LayersModel): tf.Tensor[] => {
    outputs.push(predict(network, inputs));
    return outputs[outputs.length - 1];
  };
  try {
    const profile = { ...profiles.plus, codes };
    const options = { layers: names, subvectorLength: lookups, numCentroids, task, profile };
    const conversion = convert(model, options);
    sameBits("convert", model, dense, now(conversion.model));
    const data = examplesOf(model, inputs, target);
    await checkRowsAlone(conversion, data, { model, inputs, names });
    sameBits("calibrate", model, dense, now(conversion.model));
    await conversion.replaceAll({ method: "maddnessFast" });
    const fast = now(conversion.model);
    await conversion.restoreAll();
    await checkRowsOfFits(conversion, data, { model, inputs, names });
    const converted = now(conversion.model);
    await conversion.save(join(folder, "network.onnx"));
    await conversion.store(join(folder, "stored"));
    const opened = await openConversion(join(folder, "stored"), { task });
    sameBits("openConversion", model, converted, now(opened.model));
    await opened.restoreAll();
    sameBits("restored after opening", model, dense, now(opened.model));
    await opened.replaceAll({ method: "maddnessFast" });
    sameBits("Maddness after opening", model, fast, now(opened.model));
    await conversion.restore(names[0]);
    await conversion.replace(names[0], { method: "kmeans" });
    await conversion.replace(names[0], { method: "leastSquares" });
    sameBits("replaced again", model, converted, now(conversion.model));
    await conversion.restoreAll();
    sameBits("restoreAll", model, dense, now(conversion.model));
  } finally {
    tf.dispose([inputs, outputs]);
    rmSync(folder, { recursive: true });
  }
}
