import type { Data } from "../datasets/from";
import { LutnnError } from "../errors";
import type { TaskName } from "../tasks/derive";
import type { Task } from "../tasks/task";
import type { Algorithm } from "./optimizer";
import { checkSchedule, type ScheduleName } from "./schedule";

export interface CheckpointOptions {
  folder: string;
  /** Time between two checkpoints; longer when writing one takes more than 2 % of it. Default 60. */
  everySeconds?: number;
  /** Steps between two checkpoints, instead of a time. */
  everySteps?: number;
}

export interface EarlyStopping {
  /** Epochs without a better validation after which the run ends. */
  patience: number;
  /** What counts: the task's metric, by its name (default), or "loss". */
  metric?: string;
  /** By how much more a validation must be better to count, in the unit of what counts. Default 0. */
  minimumGain?: number;
}

export interface TrainingOptions {
  /** Passes over the training data. */
  epochs: number;
  /** What the network is for, where its end and the data do not tell. */
  task?: TaskName | Task;
  /** Default 64. */
  batchSize?: number;
  /** Evaluated after each epoch. Keep it apart from the test data. */
  validation?: Data;
  /** Of the order of the examples. Default 0. */
  seed?: number;
  /** Default "adam". */
  algorithm?: Algorithm;
  /** Of the learning rate. Default "cosine". */
  schedule?: ScheduleName;
  /** Steps over which the learning rate first rises from 0, beside its schedule. Default 0. */
  warmupSteps?: number;
  /** Of all weights but biases, batch norms and temperatures. Default 0. */
  weightDecay?: number;
  /**
   * Ends the run after so many steps, in the middle of its schedule, as an interrupt then would: the same bits as those of a
   * run that was stopped there. Default: all steps of all epochs.
   */
  stopAfter?: number;
  /** Ends the run when the validation stops getting better, with the best weights. Needs `validation`. */
  earlyStopping?: EarlyStopping;
  /** Saves the run into a folder, from which the same call goes on after an interruption. */
  checkpoint?: string | CheckpointOptions;
  /** False begins anew even where a checkpoint lies. Default true. */
  resume?: boolean;
  /** Folder for metrics.jsonl and TensorBoard event files. */
  log?: string;
  signal?: AbortSignal;
}

export type CheckedOptions = Required<
  Pick<TrainingOptions, "epochs" | "batchSize" | "seed" | "algorithm" | "schedule" | "resume">
> &
  TrainingOptions;

/** The options with defaults filled in. Throws LutnnError on a value that cannot be used. */
export function checkTrainingOptions(what: string, options: TrainingOptions): CheckedOptions {
  const checked = {
    batchSize: 64,
    seed: 0,
    algorithm: "adam",
    schedule: "cosine",
    resume: true,
    ...options,
  } as const;
  const positive = (name: string, value: number) => {
    if (!Number.isInteger(value) || value < 1)
      throw new LutnnError(`${what}: ${name} must be a positive integer (got ${value})`);
  };
  positive("epochs", checked.epochs);
  positive("batchSize", checked.batchSize);
  checkSchedule(what, checked.schedule);
  if (checked.stopAfter !== undefined) positive("stopAfter", checked.stopAfter);
  const { warmupSteps = 0 } = checked;
  if (!Number.isInteger(warmupSteps) || warmupSteps < 0)
    throw new LutnnError(`${what}: warmupSteps must be a whole number from 0 (got ${warmupSteps})`);
  if (checked.algorithm !== "adam" && checked.algorithm !== "sgd")
    throw new LutnnError(
      `${what}: algorithm must be "adam" or "sgd" (got ${JSON.stringify(checked.algorithm)})`,
    );
  if (checked.earlyStopping) {
    positive("earlyStopping.patience", checked.earlyStopping.patience);
    if (!checked.validation)
      throw new LutnnError(
        `${what}: earlyStopping needs validation data (none was given); pass { validation }`,
      );
  }
  return checked;
}
