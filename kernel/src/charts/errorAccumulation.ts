import { LutnnError } from "../errors";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import {
  ERROR_ACCUMULATION_MIME,
  type ErrorAccumulationReport,
  type ErrorSeries,
  type OutputError,
} from "../report/errorAccumulation";
import { errorMarks, errorMeasures, formatLayer, formatMetric } from "../report/format";
import type { ChartPanel } from "./chart";
import { Figure } from "./figure";
import { Table } from "./table";

/** Which of the two errors a chart draws. */
export type ErrorMeasure = keyof OutputError;

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
      axis: errorMeasures[measure],
      series: report.series.flatMap(({ name, errors }, color) => [
        {
          name,
          part: errorMarks.local,
          kind: "bar" as const,
          values: errors.map(({ local }) => local?.[measure] ?? null),
          color,
        },
        {
          name,
          part: errorMarks.accumulated,
          kind: "line" as const,
          values: errors.map(({ accumulated }) => accumulated?.[measure] ?? null),
          color,
        },
      ]),
    };
    const { metric } = report;
    const quality: ChartPanel = {
      axis: metric.unit ? `${metric.name} (${metric.unit})` : metric.name,
      fromZero: false,
      series: report.series.map(({ name, errors }, color) => ({
        name,
        part: `${metric.name}, converted up to here`,
        kind: "line" as const,
        values: errors.map((layer) => layer.metric),
        color,
      })),
      reference: { name: errorMarks.dense, value: metric.dense },
    };
    return new Figure({
      title: `Error accumulation in ${report.model}`,
      subtitle: `bars: ${errorMarks.local} alone, lines: ${errorMarks.accumulated}; below: ${metric.name}, converted up to the layer\n${this.summary()}`,
      categories: report.layers.map(({ name }) => name),
      categoryName: "layer",
      notes: report.layers.map(({ numCentroids, subvectorLength }, index) =>
        isReplaced(report, index) ? `K ${numCentroids}, V ${subvectorLength}` : "dense",
      ),
      panels: [errors, quality],
    });
  }

  /** What the whole network reaches, in one line. */
  summary(): string {
    const { data, metric, series, backend } = this.report;
    const lookups = backend ? `; lookups by ${backend}` : "";
    const reached = series.map(({ name, metric: value }) => `${name} ${formatMetric(value, metric)}`);
    const some = data.metricSize ? ` (${data.metricSize} up to inner layers)` : "";
    return `${data.name}, ${data.size} examples${some}, ${metric.name}: ${[...reached, `${errorMarks.dense} ${formatMetric(metric.dense, metric)}`].join(", ")}${lookups}`;
  }

  toTable(): Table {
    const { layers, series, metric } = this.report;
    const unit = metric.unit ? ` (${metric.unit})` : "";
    const rows = layers.flatMap((layer, i) =>
      series.map(({ name: conversion, errors }) => {
        const { local, accumulated, metric: value } = errors[i];
        return [
          layer.name,
          formatLayer(layer, isReplaced(this.report, i)),
          conversion,
          local?.relative ?? null,
          accumulated?.relative ?? null,
          accumulated?.unexplained ?? null,
          value,
        ];
      }),
    );
    return new Table(
      [
        "layer",
        "operation",
        "conversion",
        errorMarks.local,
        errorMarks.accumulated,
        `${errorMeasures.unexplained}, ${errorMarks.accumulated}`,
        `${metric.name}${unit}`,
      ],
      rows,
      `${errorMeasures.relative} of each layer, its unexplained part, and the ${metric.name} converted up to the layer\n${this.summary()}`,
    );
  }

  /** Its chart; where no layer is replaced there is nothing to draw, and a sentence says so. */
  [displaySymbol](): MimeBundle {
    const { layers } = this.report;
    if (!layers.some((_, i) => isReplaced(this.report, i)))
      return {
        "text/plain": `No layer of ${this.report.model} is replaced yet, so no error accumulates: replace(name) or replaceAll() first.\n${this.summary()}`,
      };
    return {
      [ERROR_ACCUMULATION_MIME]: this.report,
      "image/svg+xml": this.figure().toSvg(),
      "text/plain": this.toTable().toString(),
    };
  }
}

/** Is that layer replaced in any of the conversions? */
const isReplaced = ({ series }: ErrorAccumulationReport, layer: number): boolean =>
  series.some(({ errors }) => errors[layer].state === "replaced");
