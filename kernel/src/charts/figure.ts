import { LutnnError } from "../errors";
import { writeFileWhole } from "../files/writeFile";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import { shortNumber, unitOf, withUnit } from "../report/format";
import type { Chart } from "./chart";
import { type PlotlyFigure, toPlotly } from "./plotly";
import { toSvg } from "./svg";
import { type Cell, Table } from "./table";

/** MIME type of plotly figures. */
export const PLOTLY_MIME = "application/vnd.plotly.v1+json";

/** A chart that shows itself: interactive where plotly runs, as SVG elsewhere, as a table in a terminal. */
export class Figure implements Displayable {
  /** Throws LutnnError where several series of bars with error bars share a numeric axis: nothing says where each stands. */
  constructor(readonly chart: Chart) {
    for (const { axis, series } of chart.x ? chart.panels : []) {
      const bars = series.filter(({ kind }) => kind === "bar");
      if (bars.length > 1 && bars.some(({ spread }) => spread))
        throw new LutnnError(
          `Figure: on a numeric axis bars with error bars must be of one series (got ${bars.length} on the panel ${JSON.stringify(axis)}); use kind "points", or categories`,
        );
    }
  }

  toSvg(): string {
    return toSvg(this.chart);
  }

  toPlotly(): PlotlyFigure {
    return toPlotly(this.chart);
  }

  /** The numbers behind the chart: a row for each category, or for each place on the numeric axis. */
  toTable(): Table {
    const { title, subtitle, categories, categoryName = "category", panels, x } = this.chart;
    const columns = panels.flatMap(({ axis, series }) =>
      series.map((one) => ({
        axis,
        one,
        title: `${[one.name, one.part].filter(Boolean).join(", ")}: ${axisName(axis)}`,
      })),
    );
    const references = panels.flatMap(({ axis, reference }) =>
      reference ? [`${reference.name} ${withUnit(shortNumber(reference.value), unitOf(axis))}`] : [],
    );
    const caption = [title, subtitle, ...references].join("\n");
    const places = x
      ? [...new Set(columns.flatMap(({ one }) => one.at ?? []))].sort((a, b) => a - b)
      : categories.map((name) => name.replaceAll("\n", " "));
    const rows = places.map((place, index): Cell[] => [
      place,
      ...columns.map(({ one }) => one.values[x ? (one.at ?? []).indexOf(Number(place)) : index] ?? null),
    ]);
    const heading = x ? x.title : categoryName;
    return new Table([heading, ...columns.map(({ title }) => title)], rows, caption);
  }

  /** Writes the SVG; the file is whole or not there. */
  async save(path: string): Promise<void> {
    await writeFileWhole(path, this.toSvg());
  }

  [displaySymbol](): MimeBundle {
    return {
      [PLOTLY_MIME]: this.toPlotly(),
      "image/svg+xml": this.toSvg(),
      "text/plain": this.toTable().toString(),
    };
  }
}

/** An axis' title without what is said of its scale: "time (µs)" of "time (µs, logarithmic)". */
const axisName = (axis: string): string => axis.replace(/\(([^(),]+),[^()]*\)$/, "($1)");
