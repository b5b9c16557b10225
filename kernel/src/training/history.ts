import { Figure } from "../charts/figure";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import type { Task } from "../tasks/task";
import type { Evaluation } from "./evaluate";

/** Figures of one epoch; training figures are means over its batches, in training mode. */
export interface EpochFigures {
  /** From 1. */
  epoch: number;
  loss: number;
  /** The task's metric. */
  metric: number;
  /** The metric where it is an accuracy: per cent; NaN for other tasks. */
  accuracy: number;
  validation?: Evaluation;
  seconds: number;
}

/** What a training run did; shows itself as a chart of the loss and the task's metric. */
export class TrainingHistory implements Displayable {
  constructor(
    readonly label: string,
    readonly epochs: EpochFigures[],
    readonly outcome: {
      /** Epoch whose validation was best; undefined without validation. */
      best?: number;
      /** True when early stopping ended the run. */
      stoppedEarly: boolean;
      /** Step from which a saved run went on; undefined for a run from the start. */
      resumedAt?: number;
      /** What else to say, such as which backend ran. */
      remark?: string;
      /** What is to be done about the batch norms, where they are far from what they were trained with. */
      warning?: string;
    },
    /** What the network was trained for. */
    readonly task: Task,
  ) {}

  /** Figures of the last epoch. */
  get last(): EpochFigures {
    return this.epochs[this.epochs.length - 1];
  }

  figure(): Figure {
    const validated = this.epochs.some(({ validation }) => validation);
    const lines = (pick: (figures: EpochFigures) => number, held: (evaluation: Evaluation) => number) => [
      { name: "training", kind: "line" as const, values: this.epochs.map(pick), color: 0 },
      ...(validated
        ? [
            {
              name: "validation",
              kind: "line" as const,
              values: this.epochs.map(({ validation }) => (validation ? held(validation) : null)),
              color: 1,
            },
          ]
        : []),
    ];
    const { name, unit } = this.task.metric;
    const { best, stoppedEarly, remark, warning } = this.outcome;
    const seconds = this.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
    const remarks = [
      `${this.epochs.length} epochs, ${seconds.toFixed(0)} s`,
      ...(best ? [`best validation in epoch ${best}`] : []),
      ...(stoppedEarly ? ["stopped early"] : []),
      ...(remark ? [remark] : []),
      ...(warning ? ["its batch norms need re-estimating"] : []),
    ];
    return new Figure({
      title: this.label,
      subtitle: remarks.join("; "),
      categories: this.epochs.map(({ epoch }) => String(epoch)),
      panels: [
        {
          axis: `loss (${this.task.lossUnit})`,
          series: lines(
            (figures) => figures.loss,
            (evaluation) => evaluation.loss,
          ),
        },
        {
          axis: unit ? `${name} (${unit})` : name,
          fromZero: false,
          series: lines(
            (figures) => figures.metric,
            (evaluation) => evaluation.metric.value,
          ),
        },
      ],
    });
  }

  [displaySymbol](): MimeBundle {
    return this.figure()[displaySymbol]();
  }
}
