import type { TrainingOptions } from "../../../training/options";
import type { CellOf } from "../cell";
import type { CellRun } from "../kind";

type Choice = Omit<NonNullable<CellOf<"dense">["training"]>, "learningRate">;

/** A cell's training as the loop takes it, with checkpoints in the cell's scratch folder. */
export const trainingOptions = (
  choice: Choice,
  seed: number,
  { scratch, signal }: Pick<CellRun, "scratch" | "signal">,
  part: string,
): TrainingOptions => {
  const { epochs, batchSize, algorithm, schedule, warmupSteps, weightDecay } = choice;
  const run = { epochs, batchSize, algorithm, schedule, weightDecay, seed, signal };
  const warmup = warmupSteps === undefined ? {} : { warmupSteps };
  return { ...run, ...warmup, checkpoint: { folder: `${scratch}/${part}`, everySeconds: 30 } };
};
