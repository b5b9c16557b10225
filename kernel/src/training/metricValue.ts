import { LutnnError } from "../errors";
import type { Score } from "../tasks/score";
import type { Metric, Task } from "../tasks/task";

/** The metric of a task as it was measured. */
export interface MetricValue {
  name: string;
  /** "%", the data's unit or "". */
  unit: string;
  value: number;
  /** Standard error of the value, in its unit. */
  noise: number;
}

/** A task's metric over summed scores. Throws LutnnError where nothing counted; `what` opens the sentence. */
export function measured(what: string, task: Task, score: Score): MetricValue {
  if (score.weight === 0)
    throw new LutnnError(
      `${what}: at least one target must count (all are masked or below 0); give data with something to learn`,
    );
  const { name, unit } = task.metric;
  return { name, unit, value: task.metricOf(score), noise: task.noise(score) };
}

/** For those who ask for an accuracy. */
export const accuracyOf = ({ name, value }: Pick<MetricValue, "name" | "value">): number =>
  name === "accuracy" ? value : Number.NaN;

/** As text: "96.3 %", "0.512 years". */
export function formatMetric({ unit }: Pick<Metric, "unit">, value: number): string {
  return unit === "%" ? `${value.toFixed(1)} %` : `${Number(value.toPrecision(3))} ${unit}`.trim();
}
