// What a chart shows, apart from how it is drawn: plotly draws it in a notebook (plotly.ts), ECharts as SVG (svg.ts).

export interface ChartSeries {
  /** In the legend; series of one name share an entry and, by their colour, belong together. */
  name: string;
  /** Which part of the thing called `name` this is, when there are several. */
  part?: string;
  kind: "bar" | "line";
  /** One per category; null leaves a gap. */
  values: (number | null)[];
  /** Index into {@link palette}. */
  color: number;
}

export interface ChartPanel {
  /** Title of the value axis, with the unit. */
  axis: string;
  /** Default "linear". */
  scale?: "linear" | "log";
  /** False lets the axis begin near the smallest value. Default true; bars always begin at 0. */
  fromZero?: boolean;
  series: ChartSeries[];
  /** A dashed line across the panel. */
  reference?: { name: string; value: number };
}

/** Panels above one another over the same categories. */
export interface Chart {
  title: string;
  /** A remark under the title, of one or several lines: what was measured, on what. */
  subtitle: string;
  /** A line break splits a long name. */
  categories: string[];
  panels: ChartPanel[];
}

/** Eight colours that stay apart for colour-blind readers (Okabe and Ito, 2008; the yellow darkened). */
export const palette = [
  "#0072B2",
  "#D55E00",
  "#009E73",
  "#CC79A7",
  "#E69F00",
  "#56B4E9",
  "#8C6D1F",
  "#666666",
];
