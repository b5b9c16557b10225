import type { Score } from "../tasks/score";
import type { Metric } from "../tasks/task";
import type { Evaluation } from "./evaluate";
import type { EpochFigures } from "./history";
import { accuracyOf, type MetricValue } from "./metricValue";

/** Figures of one epoch as they are saved: without what follows from the task. */
export interface SavedFigures {
  epoch: number;
  loss: number;
  metric: number;
  seconds: number;
  validation?: { metric: MetricValue; loss: number; size: number };
}

/** Where a run stands; with the weights and the optimiser's slots it decides how the run goes on. Plain JSON. */
export interface Position {
  /** Epochs that are over, and batches of the next one. */
  epoch: number;
  batch: number;
  /** Sums over the epoch's examples so far; a batch's loss counts as often as what its metric is a mean of. */
  lossSum: number;
  score: Score;
  seconds: number;
  figures: SavedFigures[];
  /** Loss of the run's first step. */
  firstLoss?: number;
  /** Best validation so far, and epochs since. */
  best?: { epoch: number; value: number };
  waited: number;
}

/** What a validation leaves in a saved run. */
export const savedEvaluation = ({ metric, loss, size }: Evaluation): SavedFigures["validation"] => ({
  metric,
  loss,
  size,
});

/** The figures as a history shows them. */
export function epochFigures(saved: SavedFigures, { name }: Metric): EpochFigures {
  const { validation, ...figures } = saved;
  return {
    ...figures,
    accuracy: accuracyOf({ name, value: saved.metric }),
    validation: validation && { ...validation, accuracy: accuracyOf(validation.metric) },
  };
}
