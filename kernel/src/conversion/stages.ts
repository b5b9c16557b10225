import { join } from "node:path";
import { LutnnError } from "../errors";
import type { CheckpointOptions, TrainingOptions } from "../training/options";

/** One stage of a gradual replacement. */
export interface Stage {
  layers: string[];
  epochs: number;
}

/**
 * Layers and epochs in equal parts, in order; what is left over goes to the last ones. Throws LutnnError when a stage
 * would have no layer or no epoch.
 */
export function makeStages(stages: number, layers: string[], epochs: number): Stage[] {
  const most = Math.min(layers.length, epochs);
  if (!Number.isInteger(stages) || stages < 1 || stages > most)
    throw new LutnnError(
      `convertAll: stages must be an integer from 1 to ${most}, with a layer (of ${layers.length}) and an epoch (of ${epochs}) for each (got ${stages})`,
    );
  const ends = (count: number) =>
    Array.from({ length: stages + 1 }, (_, stage) => Math.floor((stage * count) / stages));
  const [layerEnds, epochEnds] = [ends(layers.length), ends(epochs)];
  return Array.from({ length: stages }, (_, stage) => ({
    layers: layers.slice(layerEnds[stage], layerEnds[stage + 1]),
    epochs: epochEnds[stage + 1] - epochEnds[stage],
  }));
}

/** A stage's checkpoints and metrics have a folder of their own inside those of the run. */
export function stageFolders({ checkpoint, log }: TrainingOptions, stage: number): Partial<TrainingOptions> {
  const inside = (folder: string) => join(folder, `stage-${stage + 1}`);
  const checkpointInside = (given: string | CheckpointOptions) =>
    typeof given === "string" ? inside(given) : { ...given, folder: inside(given.folder) };
  return {
    ...(checkpoint !== undefined && { checkpoint: checkpointInside(checkpoint) }),
    ...(log !== undefined && { log: inside(log) }),
  };
}
