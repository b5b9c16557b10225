import { fontFamily, greyColor, palette, sizes, symbols, whitePage } from "../report/figureStyle";
import { shortNumber, unitOf, withUnit } from "../report/format";
import { plotlyText } from "../report/plotlyText";
import { type Chart, type ChartPanel, type ChartSeries, drawnSpread, isNearEnd, topForNames } from "./chart";
import { valueText } from "./valueText";

/** A plotly figure: MIME type application/vnd.plotly.v1+json. */
export interface PlotlyFigure {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
}

/**
 * The chart as plotly JSON, drawn as it is by any plotly. `layout.meta.lutnn` holds the plain texts, by which our own
 * extension fits the figure to a width and a theme: it knows the palette, so its colours follow the theme too.
 */
export function toPlotly(chart: Chart): PlotlyFigure {
  const count = chart.panels.length;
  const plotHeight = count * sizes.panel + (count - 1) * sizes.panelGap;
  const names = [...new Set(chart.panels.flatMap(({ series }) => series.map(({ name }) => name)))];
  const remarks = chart.subtitle.split("\n");
  const top = 3 * sizes.lineHeight + remarks.length * sizes.lineHeight + 2 * sizes.edge;
  const bottom = 84;
  const layout: Record<string, unknown> = {
    meta: {
      lutnn: {
        title: chart.title,
        remarks,
        legend: names,
        panels: chart.panels.map(({ axis }) => axis),
        positions: positions(chart).map((at, index) => positionName(chart, at, index)),
        at: chart.x ? positions(chart) : null,
        notes: chart.notes ?? [],
      },
    },
    title: {
      text: [
        `<b>${plotlyText(chart.title)}</b>`,
        ...remarks.map((line) => `<sub>${plotlyText(line)}</sub>`),
      ].join("<br>"),
      x: 0,
      xref: "container",
      xanchor: "left",
      pad: { l: sizes.edge },
      font: { size: sizes.title },
    },
    font: { family: fontFamily, size: sizes.text },
    barmode: "group",
    height: top + plotHeight + bottom,
    margin: { t: top, l: 74, r: sizes.edge, b: bottom },
    legend: {
      orientation: "h",
      xref: "container",
      x: 0,
      yref: "container",
      y: 1 - (top - 2 * sizes.lineHeight) / (top + plotHeight + bottom),
      yanchor: "top",
      tracegroupgap: 0,
    },
    hovermode: "closest",
    xaxis: {
      ...(chart.x
        ? {
            title: { text: plotlyText(chart.x.title) },
            ...(chart.x.whole ? { tickformat: "d", nticks: 12 } : {}),
          }
        : { type: "category" }),
      anchor: count > 1 ? `y${count}` : "y",
      automargin: true,
    },
  };
  const named = new Set<string>();
  const data = chart.panels.flatMap((panel, p) => {
    const top = p * (sizes.panel + sizes.panelGap);
    const include = topForNames(panel);
    layout[p === 0 ? "yaxis" : `yaxis${p + 1}`] = {
      title: { text: plotlyText(panel.axis) },
      type: panel.scale ?? "linear",
      ...(panel.scale === "log" ? { dtick: 1 } : {}),
      ...(panel.scale === "log" || panel.fromZero === false ? {} : { rangemode: "tozero" }),
      ...(include === null ? {} : { autorangeoptions: { include } }),
      domain: [Math.max(0, 1 - (top + sizes.panel) / plotHeight), 1 - top / plotHeight],
    };
    const axis = p === 0 ? "y" : `y${p + 1}`;
    const traces = panel.series.map((series) => {
      const showlegend = !named.has(series.name);
      named.add(series.name);
      return { ...trace(chart, panel, series), showlegend, xaxis: "x", yaxis: axis };
    });
    return panel.reference ? [...traces, referenceTrace(chart, panel, panel.reference, axis)] : traces;
  });
  return { data, layout };
}

/** Where values stand: each place once, in order; without a numeric axis, the numbers of the categories. */
function positions({ x, categories, panels }: Chart): number[] {
  if (!x) return [...categories.keys()];
  const all = panels.flatMap(({ series }) => series.flatMap(({ at = [] }) => at));
  return [...new Set(all)].sort((a, b) => a - b);
}

/** What a place is called where its numbers are read. */
function positionName({ x, categories }: Chart, at: number, index: number): string {
  if (!x) return categories[index].replaceAll("\n", " ");
  const unit = unitOf(x.title);
  return `${x.title.replace(/ \([^()]*\)$/, "")} ${withUnit(shortNumber(at), unit)}`;
}

const xOf = (chart: Chart, series: ChartSeries): (string | number)[] =>
  series.at ?? chart.categories.map(plotlyText);

function trace(chart: Chart, panel: ChartPanel, series: ChartSeries): Record<string, unknown> {
  const color = palette.light[series.color % palette.light.length];
  const label = series.part ? `${series.name}, ${series.part}` : series.name;
  const texts = series.values.map((_, index) => plotlyText(valueText(panel, series, index)));
  const marks = {
    bar: {},
    line: { mode: "lines+markers" },
    trace: { mode: "lines", opacity: 0.5 },
    points: { mode: "markers" },
  };
  return {
    type: series.kind === "bar" ? "bar" : "scatter",
    ...marks[series.kind],
    name: plotlyText(series.name),
    meta: plotlyText(label),
    legendgroup: plotlyText(series.name),
    customdata: texts,
    hovertemplate: `%{x}<br>${plotlyText(label)}: %{customdata}<extra></extra>`,
    x: xOf(chart, series),
    y: series.values,
    marker: {
      color,
      ...(series.kind === "bar" ? {} : { size: series.kind === "points" ? sizes.marker + 5 : sizes.marker }),
      ...(series.kind === "points" ? { symbol: symbols[2] } : {}),
    },
    ...(series.kind === "bar" ? {} : { line: { color, width: series.kind === "trace" ? 1 : sizes.line } }),
    ...(series.labels
      ? {
          mode: `${series.kind === "points" ? "" : "lines+"}markers+text`,
          text: series.labels.map((name) => plotlyText(name ?? "")),
          textposition: labelSides(chart, series),
          cliponaxis: false,
        }
      : {}),
    ...(series.spread ? { error_y: errorBars(panel, series, series.spread) } : {}),
  };
}

const labelSides = (chart: Chart, { at = [] }: ChartSeries): string | string[] =>
  chart.x ? at.map((place) => (isNearEnd(chart, place) ? "top left" : "top right")) : "top center";

function errorBars(
  panel: ChartPanel,
  { values }: ChartSeries,
  spread: NonNullable<ChartSeries["spread"]>,
): object {
  const reach = (side: 0 | 1) =>
    values.map((value, index) => {
      const range = spread[index];
      return value === null || !range ? 0 : Math.abs(drawnSpread(panel, value, range)[side] - value);
    });
  return {
    type: "data",
    symmetric: false,
    array: reach(1),
    arrayminus: reach(0),
    thickness: 1.5,
    width: 5,
    color: whitePage.text,
  };
}

/** A dashed line across the panel, named at its left end. */
function referenceTrace(
  chart: Chart,
  panel: ChartPanel,
  { name, value }: { name: string; value: number },
  axis: string,
): Record<string, unknown> {
  const at = chart.x ? positions(chart) : chart.categories.map(plotlyText);
  const places = chart.x ? [at[0], at[at.length - 1]] : at;
  const text = withUnit(shortNumber(value), unitOf(panel.axis));
  return {
    type: "scatter",
    mode: "lines+text",
    name: plotlyText(name),
    meta: plotlyText(name),
    showlegend: false,
    x: places,
    y: places.map(() => value),
    customdata: places.map(() => plotlyText(text)),
    text: places.map((_, index) => (index === 0 ? plotlyText(`${name} ${text}`) : "")),
    textposition: "top right",
    hoverinfo: "skip",
    cliponaxis: false,
    line: { color: palette.light[greyColor], width: 1.5, dash: "dash" },
    xaxis: "x",
    yaxis: axis,
  };
}
