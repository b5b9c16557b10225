import { Progress } from "../../host/progress";
import type { Calibration } from "../state";
import type { NamedArrays } from "../storedArray";
import type { Target } from "../targets";
import type { CalibrationRun } from "./method";
import { sampleInputs } from "./sampleInputs";

/** Rows that k-means sees per centroid, as faiss. */
export const rowsPerCentroid = 256;

/** Learns each layer from its inputs in the reference network alone, layer by layer. */
export async function calibrateAlone(
  run: CalibrationRun,
  title: string,
  wanted: (target: Target) => number,
  learn: (target: Target, rows: Float32Array) => Promise<NamedArrays>,
): Promise<Map<string, Calibration>> {
  const { targets } = run;
  const progress = new Progress(`calibrate (${title})`, 2 * targets.length, "steps");
  const inputs = await sampleInputs(run, wanted, (share) => progress.update(targets.length * share));
  const result = new Map<string, Calibration>();
  for (const target of targets) {
    result.set(target.name, { arrays: await learn(target, inputs.get(target.name)!), norms: {} });
    progress.update(targets.length + result.size);
  }
  progress.finish();
  return result;
}
