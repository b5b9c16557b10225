import { z } from "zod";
import { LutnnError } from "../errors";
import type { Metric } from "../tasks/task";
import type { Evaluation } from "./evaluate";
import type { EpochFigures } from "./history";
import { accuracyOf } from "./metricValue";

const count = z.number().int().min(0);
/** JSON has no place for what is not finite: null stands for it. */
const figure = z.number().or(z.null().transform(() => Number.NaN));

const savedFigures = z.object({
  epoch: count,
  loss: figure,
  metric: figure,
  seconds: z.number(),
  validation: z
    .object({
      metric: z.object({ name: z.string(), unit: z.string(), value: figure, noise: figure }),
      loss: figure,
      size: count,
    })
    .optional(),
});

const position = z
  .object({
    /** Epochs that are over, and batches of the next one. */
    epoch: count,
    batch: count,
    /** Sums over the epoch's examples so far; a batch's loss counts as often as what its metric is a mean of. */
    lossSum: figure,
    score: z.object({
      metric: figure,
      weight: figure,
      metricSquares: figure,
      products: figure,
      weightSquares: figure,
    }),
    seconds: z.number(),
    figures: z.array(savedFigures),
    /** Loss of the run's first step. */
    firstLoss: figure.optional(),
    /** Best validation so far, and epochs since. */
    best: z.object({ epoch: count, value: figure }).optional(),
    waited: count,
  })
  .refine(({ epoch, figures }) => figures.length === epoch, "there must be figures of each epoch");

/** Figures of one epoch as they are saved: without what follows from the task. */
export type SavedFigures = z.infer<typeof savedFigures>;

/** Where a run stands; with the weights and the optimiser's slots it decides how the run goes on. Plain JSON. */
export type Position = z.infer<typeof position>;

/** A position out of untrusted JSON. Throws LutnnError, opened by `name`, on anything else. */
export function readPosition(value: unknown, name: string): Position {
  const read = position.safeParse(value);
  if (read.success) return read.data;
  const [{ path, message }] = read.error.issues;
  throw new LutnnError(
    `${name}: the checkpoint must say where its run stands (position ${path.join(".")}: ${message}); it is damaged or none of lutnn's`,
  );
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
