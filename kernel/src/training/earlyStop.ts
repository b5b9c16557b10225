import { LutnnError } from "../errors";
import type { Metric } from "../tasks/task";
import type { Evaluation } from "./evaluate";
import type { EarlyStopping } from "./options";

/** Whether a validation is better than the best before it, by the task's metric or by the loss. */
export class EarlyStop {
  readonly patience: number;
  private readonly byLoss: boolean;
  private readonly minimumGain: number;

  /** Throws LutnnError on a metric that the task has not; `what` opens the sentence. */
  constructor(
    what: string,
    private readonly taskMetric: Metric,
    { patience, metric = taskMetric.name, minimumGain = 0 }: EarlyStopping = { patience: 0 },
  ) {
    if (metric !== "loss" && metric !== taskMetric.name)
      throw new LutnnError(
        `${what}: earlyStopping.metric must be "loss" or ${JSON.stringify(taskMetric.name)}, the task's metric (got ${JSON.stringify(metric)})`,
      );
    this.patience = patience;
    this.byLoss = metric === "loss";
    this.minimumGain = minimumGain;
  }

  /** What of a validation counts. */
  valueOf(evaluation: Evaluation): number {
    return this.byLoss ? evaluation.loss : evaluation.metric.value;
  }

  /** Better by more than `minimumGain`; anything is better than nothing. */
  isBetter(value: number, best: number | undefined): boolean {
    if (best === undefined) return true;
    const gain = this.byLoss || !this.taskMetric.higherIsBetter ? best - value : value - best;
    return gain > this.minimumGain;
  }
}
