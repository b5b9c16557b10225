import type { ChartSeries } from "../charts/chart";
import { Figure } from "../charts/figure";
import { Table } from "../charts/table";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import { formatSeconds } from "../host/progress";
import type { CurvePoint } from "./curve";
import type { Evaluation } from "./evaluate";

/** Figures of one epoch; training figures are means over its batches, in training mode. */
export interface EpochFigures {
  /** From 1. */
  epoch: number;
  loss: number;
  /** Per cent. */
  accuracy: number;
  validation?: Evaluation;
  seconds: number;
}

/** What a training run did; shows itself as a chart of loss and accuracy. */
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
    },
    /** Means over batches within the epochs; empty when the run is of another process. */
    readonly curve: readonly CurvePoint[] = [],
    /** Does the running cell show it already, from the time when it was made? */
    private readonly isShown: () => boolean = () => false,
  ) {}

  /** Figures of the last epoch. */
  get last(): EpochFigures {
    return this.epochs[this.epochs.length - 1];
  }

  /** What was done, in one line. */
  summary(): string {
    const { best, stoppedEarly, remark } = this.outcome;
    const seconds = this.epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
    const count = this.epochs.length;
    return [
      `${count} epoch${count === 1 ? "" : "s"}, ${formatSeconds(seconds)}`,
      ...(best ? [`best validation in epoch ${best}`] : []),
      ...(stoppedEarly ? ["stopped early"] : []),
      ...(remark ? [remark] : []),
    ].join("; ");
  }

  /** Loss and accuracy along the epochs: of batches where a run is fresh, of whole epochs, and of validation. */
  figure(): Figure {
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
          axis: "loss (nats)",
          series: drawn(
            lines(
              ({ loss }) => loss,
              ({ loss }) => loss,
              ({ loss }) => loss,
            ),
          ),
        },
        {
          axis: "accuracy (%)",
          fromZero: false,
          series: drawn(
            lines(
              ({ metric }) => metric,
              ({ accuracy }) => accuracy,
              ({ accuracy }) => accuracy,
            ),
          ),
        },
      ],
    });
  }

  /** The figures of the epochs. */
  toTable(): Table {
    const validated = this.epochs.some(({ validation }) => validation);
    return new Table(
      [
        "epoch",
        "loss (nats)",
        "accuracy (%)",
        ...(validated ? ["validation loss (nats)", "validation accuracy (%)"] : []),
        "time (s)",
      ],
      this.epochs.map(({ epoch, loss, accuracy, validation, seconds }) => [
        epoch,
        loss,
        accuracy,
        ...(validated ? [validation?.loss ?? null, validation?.accuracy ?? null] : []),
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
