import type { ChartSeries } from "../charts/chart";
import { Figure } from "../charts/figure";
import { Table } from "../charts/table";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import { formatSeconds } from "../host/progress";
import type { Task } from "../tasks/task";
import type { CurvePoint } from "./curve";
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
      /** Steps after which the run was to be stopped, and was: epochs that are not whole have no figures. */
      stoppedAfter?: number;
      /** Step from which a saved run went on; undefined for a run from the start. */
      resumedAt?: number;
      /** What else to say, such as which backend ran. */
      remark?: string;
      /** What is to be done about the batch norms, where they are far from what they were trained with. */
      warning?: string;
    },
    /** What the network was trained for. */
    readonly task: Pick<Task, "metric" | "lossUnit">,
    /** Means over batches within the epochs; empty when the run is of another process. */
    readonly curve: readonly CurvePoint[] = [],
    /** Does the running cell show it already, from the time when it was made? */
    private readonly isShown: () => boolean = () => false,
  ) {}

  /** Figures of the last whole epoch. */
  get last(): EpochFigures {
    return this.epochs[this.epochs.length - 1];
  }

  /** What was done, in one line. */
  summary(): string {
    const { best, stoppedEarly, stoppedAfter, remark, warning } = this.outcome;
    const seconds = this.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
    const count = this.epochs.length;
    return [
      `${count} epoch${count === 1 ? "" : "s"}, ${formatSeconds(seconds)}`,
      ...(best ? [`best validation in epoch ${best}`] : []),
      ...(stoppedEarly ? ["stopped early"] : []),
      ...(stoppedAfter === undefined
        ? []
        : [`stopped after ${stoppedAfter} step${stoppedAfter === 1 ? "" : "s"}`]),
      ...(remark ? [remark] : []),
      ...(warning ? ["its batch norms need re-estimating"] : []),
    ].join("; ");
  }

  /** Loss and metric along the epochs: of batches where a run is fresh, of whole epochs, and of validation. */
  figure(): Figure {
    const { name, unit } = this.task.metric;
    const validated = this.epochs.filter(({ validation }) => validation);
    const lines = (
      ofBatches: (point: CurvePoint) => number,
      ofEpoch: (figures: EpochFigures) => number,
      held: (evaluation: Evaluation) => number,
    ): ChartSeries[] => [
      {
        name: "training, within epochs",
        kind: "trace",
        at: this.curve.map(({ at }) => at),
        values: this.curve.map(ofBatches),
        color: 0,
      },
      {
        name: "training, whole epochs",
        kind: "line",
        at: this.epochs.map(({ epoch }) => epoch),
        values: this.epochs.map(ofEpoch),
        color: 0,
      },
      {
        name: "validation",
        kind: "line",
        at: validated.map(({ epoch }) => epoch),
        values: validated.map(({ validation }) => (validation ? held(validation) : null)),
        color: 1,
      },
    ];
    const drawn = (series: ChartSeries[]) => series.filter(({ values }) => values.length > 0);
    return new Figure({
      title: this.label,
      subtitle: this.summary(),
      categories: [],
      x: { title: "epoch", whole: true },
      panels: [
        {
          axis: `loss (${this.task.lossUnit})`,
          series: drawn(
            lines(
              ({ loss }) => loss,
              ({ loss }) => loss,
              ({ loss }) => loss,
            ),
          ),
        },
        {
          axis: unit ? `${name} (${unit})` : name,
          fromZero: false,
          series: drawn(
            lines(
              ({ metric }) => metric,
              (figures) => figures.metric,
              (evaluation) => evaluation.metric.value,
            ),
          ),
        },
      ],
    });
  }

  /** The figures of the epochs. */
  toTable(): Table {
    const validated = this.epochs.some(({ validation }) => validation);
    const { metric, lossUnit } = this.task;
    const loss = `loss (${lossUnit})`;
    const named = metric.unit ? `${metric.name} (${metric.unit})` : metric.name;
    return new Table(
      ["epoch", loss, named, ...(validated ? [`validation ${loss}`, `validation ${named}`] : []), "time (s)"],
      this.epochs.map(({ epoch, loss, metric, validation, seconds }) => [
        epoch,
        loss,
        metric,
        ...(validated ? [validation?.loss ?? null, validation?.metric.value ?? null] : []),
        seconds,
      ]),
      `${this.label}\n${this.summary()}`,
    );
  }

  /** Nothing in the cell whose live chart it is already. */
  [displaySymbol](): MimeBundle {
    if (this.isShown()) return {};
    return { ...this.figure()[displaySymbol](), "text/plain": this.toTable().toString() };
  }
}
