// What a chart shows, apart from how it is drawn: plotly draws it in a notebook (plotly.ts), ECharts as SVG (svg.ts).

export interface ChartSeries {
  /** In the legend; series of one name share an entry and, by their colour, belong together. */
  name: string;
  /** Which part of the thing called `name` this is, when there are several. */
  part?: string;
  /** "trace" is a thin line without marks, for many values; "points" are marks alone. */
  kind: "bar" | "line" | "trace" | "points";
  /** One per category, or per entry of `at`; null leaves a gap. */
  values: (number | null)[];
  /** Where the values stand on the chart's numeric axis. */
  at?: number[];
  /** What each value may be off by, as [lowest, highest]: an error bar. */
  spread?: ([number, number] | null)[];
  /** A name written at each value. */
  labels?: (string | null)[];
  /** Index into the palette (report/figureStyle.ts); 7 is its grey. */
  color: number;
}

export interface ChartPanel {
  /** Title of the value axis, with the unit in brackets: "time (µs, logarithmic)". */
  axis: string;
  /** Default "linear". */
  scale?: "linear" | "log";
  /** False lets the axis begin near the smallest value. Default true; bars always begin at 0. */
  fromZero?: boolean;
  series: ChartSeries[];
  /** A dashed line across the panel. */
  reference?: { name: string; value: number };
}

/** Panels above one another over the same categories, or over the same numeric axis. */
export interface Chart {
  title: string;
  /** A remark under the title, of one or several lines: what was measured, on what. */
  subtitle: string;
  /** A line break splits a long name. Empty where `x` gives a numeric axis. */
  categories: string[];
  /** What a category is, such as "layer": the heading of its column in a table. Default "category". */
  categoryName?: string;
  /** More about each category, such as "conv2d, K 16, V 9": shown where there is room for it. */
  notes?: string[];
  /** Values stand along a numeric axis, each series' by its `at`. `whole` puts a tick at each whole number only. */
  x?: { title: string; whole?: boolean };
  panels: ChartPanel[];
}

/** What an error bar reaches from and to on that panel's axis: a logarithmic one has no place for 0 or less. */
export const drawnSpread = (
  { scale }: ChartPanel,
  value: number,
  [lowest, highest]: [number, number],
): [number, number] => [scale === "log" && lowest <= 0 ? value : lowest, highest];

/** Does a place lie in the last quarter of the chart's numeric axis, where a text beside it goes to the left? */
export function isNearEnd({ panels }: Chart, place: number): boolean {
  const all = panels.flatMap(({ series }) => series.flatMap(({ at = [] }) => at));
  const [lowest, highest] = [Math.min(...all), Math.max(...all)];
  return place > lowest + 0.75 * (highest - lowest);
}

/**
 * What a panel's axis has to reach for a name above its highest mark, or above its reference line, to stay inside; null
 * where none is that high.
 */
export function topForNames({ scale, fromZero, series, reference }: ChartPanel): number | null {
  if (scale === "log") return null;
  const lines = reference ? [reference.value] : [];
  const values = [...series.flatMap((one) => one.values), ...lines].filter((value) => value !== null);
  const named = series.flatMap((one) => one.values.filter((_, index) => one.labels?.[index]));
  const lowest = Math.min(...values, ...(fromZero === false ? [] : [0]));
  const highest = Math.max(...values);
  const needed =
    Math.max(...[...named, ...lines].map((value) => value ?? lowest)) + nameShare * (highest - lowest);
  return needed > highest ? needed : null;
}

/** Height of a name and its mark, as a part of the panel's. */
const nameShare = 0.12;
