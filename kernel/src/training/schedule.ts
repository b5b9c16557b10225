import { LutnnError } from "../errors";

/**
 * How the learning rate goes over a run: `cosine` from 1 to 0 with every step, `constant`, or times `factor` after each
 * `every` epochs.
 */
export type ScheduleName = "cosine" | "constant" | { every: number; factor: number };

/** Share of the initial learning rate at a step of a run. */
export function learningRateShare(
  schedule: ScheduleName,
  step: number,
  steps: number,
  stepsPerEpoch: number,
): number {
  if (schedule === "cosine") return 0.5 * (1 + Math.cos((Math.PI * step) / steps));
  if (schedule === "constant") return 1;
  return schedule.factor ** Math.floor(Math.floor(step / stepsPerEpoch) / schedule.every);
}

/** What of it is taken at the beginning of a run, rising with every step; 1 after `steps`. */
export const warmupShare = (step: number, steps: number): number => Math.min(1, (step + 1) / (steps + 1));

/** Throws LutnnError on a schedule that is none. */
export function checkSchedule(what: string, schedule: ScheduleName): void {
  if (schedule === "cosine" || schedule === "constant") return;
  if (typeof schedule === "object" && schedule.every >= 1 && schedule.factor > 0) return;
  throw new LutnnError(
    `${what}: schedule must be "cosine", "constant" or { every: epochs, factor } (got ${JSON.stringify(schedule)})`,
  );
}
