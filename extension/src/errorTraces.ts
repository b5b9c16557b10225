import type { Data, ScatterData } from "plotly.js";
import type { ErrorAccumulationReport, LayerErrors } from "../../kernel/src/report/errorAccumulation";
import type { ErrorFrame } from "./errorFigure";
import { escapeMarkup, formatError, formatLayer, formatMetric } from "./format";
import type { Theme } from "./theme";

const symbols = ["circle", "square", "diamond", "triangle-up", "star", "cross"] as const;

/** Layers are at 0, 1, 2 … of their axis. Both panels share that axis; the metric has the second axis of values. */
export function errorTraces(
  report: ErrorAccumulationReport,
  { measure, theme, horizontal, labels }: ErrorFrame,
): Data[] {
  const metricName = report.metric.name;
  const positions = report.layers.map((_, layer) => layer);
  const errorPanel = { xaxis: "x", yaxis: "y" };
  const metricPanel = horizontal ? { xaxis: "x2", yaxis: "y" } : { xaxis: "x", yaxis: "y2" };
  const along = (layers: number[], values: (number | null)[]) =>
    horizontal ? { x: values, y: layers } : { x: layers, y: values };

  const descriptions: Data = {
    ...along(
      positions,
      positions.map(() => 0),
    ),
    ...errorPanel,
    ...noLegend,
    type: "scatter",
    uid: "layers",
    mode: "markers",
    marker: { opacity: 0, size: 1 },
    customdata: report.layers.map((layer, index) => {
      const shortened = labels[index] !== layer.name; // the label is the title of the hover box
      return escapeMarkup(shortened ? `${layer.name}: ${formatLayer(layer)}` : formatLayer(layer));
    }),
    hovertemplate: customText,
  };

  const dense: Data = {
    ...along([-0.5, report.layers.length - 0.5], [report.metric.dense, report.metric.dense]),
    ...metricPanel,
    ...noLegend,
    type: "scatter",
    uid: "dense",
    mode: "lines",
    line: { color: theme.mutedText, width: 1.5, dash: "dash" },
    hoverinfo: "skip",
  };

  const ofSeries = report.series.flatMap((series, index): Data[] => {
    const { color, symbol } = seriesStyle(theme, index);
    const name = escapeMarkup(series.name);
    const shared = (mark: string) => ({ name, legendgroup: `${index}`, uid: `${index}-${mark}` });
    const errors = (which: "local" | "accumulated") =>
      series.errors.map((layer) => layer[which]?.[measure] ?? null);
    const hover = (what: string, value: (layer: LayerErrors) => string) => ({
      customdata: series.errors.map((layer) => `${name}, ${escapeMarkup(what)}: ${value(layer)}`),
      hovertemplate: customText,
    });
    const line: Partial<ScatterData> = {
      mode: "lines+markers",
      line: { color, width: 2 },
      marker: { color, symbol, size: 7 },
      connectgaps: false,
    };
    return [
      {
        ...shared("local"),
        ...along(positions, errors("local")),
        ...errorPanel,
        ...noLegend,
        ...hover("this layer", (layer) => formatError(layer.local?.[measure])),
        type: "bar",
        orientation: horizontal ? "h" : "v",
        marker: { color: `${color}73`, line: { color, width: 1 } },
      },
      {
        ...shared("accumulated"),
        ...along(positions, errors("accumulated")),
        ...errorPanel,
        ...hover("accumulated", (layer) => formatError(layer.accumulated?.[measure])),
        ...line,
        type: "scatter",
      },
      {
        ...shared("metric"),
        ...along(
          positions,
          series.errors.map((layer) => layer.metric),
        ),
        ...metricPanel,
        ...noLegend,
        ...hover(metricName, (layer) => formatMetric(layer.metric, report.metric)),
        ...line,
        type: "scatter",
      },
    ];
  });

  return [descriptions, dense, ...ofSeries];
}

const customText = "%{customdata}<extra></extra>";
const noLegend = { showlegend: false };

function seriesStyle(theme: Theme, index: number): { color: string; symbol: (typeof symbols)[number] } {
  return {
    color: theme.series[index % theme.series.length],
    symbol: symbols[index % symbols.length],
  };
}
