import { LutnnError } from "../errors";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import {
  ERROR_ACCUMULATION_MIME,
  type ErrorAccumulationReport,
  type ErrorSeries,
  type OutputError,
} from "../report/errorAccumulation";
import type { ChartPanel } from "./chart";
import { Figure } from "./figure";
import { shortNumber } from "./svg";
import { Table } from "./table";

/** Which of the two errors a chart draws. */
export type ErrorMeasure = keyof OutputError;

const measureAxis: Record<ErrorMeasure, string> = {
  relative: "relative squared error",
  unexplained: "unexplained variance (1 − R²)",
};

/** The error accumulation of one or several conversions of a network; shows itself in a notebook. */
export class ErrorAccumulation implements Displayable {
  constructor(readonly report: ErrorAccumulationReport) {}

  get series(): ErrorSeries[] {
    return this.report.series;
  }

  /** This measurement and others of the same network and data in one chart, in the order given. */
  compareWith(...others: ErrorAccumulation[]): ErrorAccumulation {
    const names = (report: ErrorAccumulationReport) => report.layers.map((layer) => layer.name).join(", ");
    for (const { report } of others)
      if (names(report) !== names(this.report) || report.data.size !== this.report.data.size)
        throw new LutnnError(
          `compareWith: the measurements must be of the same layers and data (got ${names(report)} on ${report.data.size} and ${names(this.report)} on ${this.report.data.size})`,
        );
    return new ErrorAccumulation({
      ...this.report,
      runId: [this, ...others].map(({ report }) => report.runId).join("+"),
      series: [this, ...others].flatMap(({ report }) => report.series),
    });
  }

  /** Error above, task metric below: one is not the other. */
  figure(measure: ErrorMeasure = "relative"): Figure {
    const { report } = this;
    const errors: ChartPanel = {
      axis: measureAxis[measure],
      series: report.series.flatMap(({ name, errors }, color) => [
        {
          name,
          part: "this layer alone",
          kind: "bar" as const,
          values: errors.map(({ local }) => local?.[measure] ?? null),
          color,
        },
        {
          name,
          part: "accumulated",
          kind: "line" as const,
          values: errors.map(({ accumulated }) => accumulated?.[measure] ?? null),
          color,
        },
      ]),
    };
    const { metric } = report;
    const quality: ChartPanel = {
      axis: `${metric.name} (${metric.unit})`,
      fromZero: false,
      series: report.series.map(({ name, errors }, color) => ({
        name,
        part: `${metric.name}, converted up to here`,
        kind: "line" as const,
        values: errors.map((layer) => layer.metric),
        color,
      })),
      reference: { name: "dense", value: metric.dense },
    };
    return new Figure({
      title: `Error accumulation in ${report.model}`,
      subtitle: `bars: each layer alone, lines: accumulated; below: ${metric.name}, converted up to the layer\n${this.summary()}`,
      categories: report.layers.map(({ name }) => name),
      panels: [errors, quality],
    });
  }

  /** What the whole network reaches, in one line. */
  summary(): string {
    const { data, metric, series, backend } = this.report;
    const lookups = backend ? `; lookups by ${backend}` : "";
    const reached = series.map(({ name, metric: value }) => `${name} ${percent(value)}`);
    return `${data.name}, ${data.size} images, ${metric.name}: ${[...reached, `dense ${percent(metric.dense)}`].join(", ")}${lookups}`;
  }

  toTable(): Table {
    const { layers, series } = this.report;
    const { name: metricName } = this.report.metric;
    const rows = layers.flatMap(({ name }, i) =>
      series.map(({ name: conversion, errors }) => {
        const { local, accumulated, metric } = errors[i];
        return [
          name,
          conversion,
          local && shortNumber(local.relative),
          accumulated && shortNumber(accumulated.relative),
          accumulated && shortNumber(accumulated.unexplained),
          metric === null ? null : percent(metric),
        ];
      }),
    );
    return new Table(
      ["layer", "conversion", "alone", "accumulated", "1 − R² accumulated", metricName],
      rows,
      `relative squared error per layer, its unexplained part, and the ${metricName} converted up to the layer\n${this.summary()}`,
    );
  }

  [displaySymbol](): MimeBundle {
    return {
      [ERROR_ACCUMULATION_MIME]: this.report,
      "image/svg+xml": this.figure().toSvg(),
      "text/plain": this.toTable().toString(),
    };
  }
}

const percent = (value: number | null): string => (value === null ? "–" : `${value.toFixed(1)} %`);
