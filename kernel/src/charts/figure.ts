import { writeFileWhole } from "../files/writeFile";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import type { Chart } from "./chart";
import { toPlotly } from "./plotly";
import { shortNumber, toSvg } from "./svg";
import { Table } from "./table";

/** MIME type of plotly figures. */
export const PLOTLY_MIME = "application/vnd.plotly.v1+json";

/** A chart that shows itself: interactive where plotly runs, as SVG elsewhere, as a table in a terminal. */
export class Figure implements Displayable {
  constructor(readonly chart: Chart) {}

  toSvg(): string {
    return toSvg(this.chart);
  }

  /** The numbers behind the chart. */
  toTable(): Table {
    const series = this.chart.panels.flatMap((panel) => panel.series.map((one) => ({ panel, one })));
    const references = this.chart.panels.flatMap(({ reference }) =>
      reference ? [`${reference.name} ${shortNumber(reference.value)}`] : [],
    );
    const columns = [
      "",
      ...series.map(({ panel, one }) => `${[one.name, one.part].filter(Boolean).join(", ")} (${panel.axis})`),
    ];
    const rows = this.chart.categories.map((category, i) => [
      category.replaceAll("\n", " "),
      ...series.map(({ one }) => {
        const value = one.values[i];
        return value === null ? null : shortNumber(value);
      }),
    ]);
    return new Table(columns, rows, [this.chart.title, this.chart.subtitle, ...references].join("\n"));
  }

  /** Writes the SVG; the file is whole or not there. */
  async save(path: string): Promise<void> {
    await writeFileWhole(path, this.toSvg());
  }

  [displaySymbol](): MimeBundle {
    return {
      [PLOTLY_MIME]: toPlotly(this.chart),
      "image/svg+xml": this.toSvg(),
      "text/plain": this.toTable().toString(),
    };
  }
}
