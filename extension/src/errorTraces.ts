import type { Data, ScatterData } from "plotly.js";
import type { ErrorAccumulationReport, LayerErrors } from "../../kernel/src/report/errorAccumulation";
import type { ErrorFrame } from "./errorFigure";
import { escapeMarkup, formatError, formatLayer, formatMetric } from "./format";

/** Values over layers in one of the two panels, which share the axis of the layers: there they are at 0, 1, 2 … */
type Place = (
  layers: number[],
  values: (number | null)[],
) => Pick<ScatterData, "x" | "y" | "xaxis" | "yaxis">;

const symbols = ["circle", "square", "diamond", "triangle-up", "star", "cross"] as const;
const hidden = { showlegend: false };
const customText = "%{customdata}<extra></extra>";

export function errorTraces(report: ErrorAccumulationReport, frame: ErrorFrame): Data[] {
  const { horizontal } = frame;
  const inErrorPanel: Place = (layers, values) =>
    horizontal
      ? { x: values, y: layers, xaxis: "x", yaxis: "y" }
      : { x: layers, y: values, xaxis: "x", yaxis: "y" };
  const inMetricPanel: Place = (layers, values) =>
    horizontal
      ? { x: values, y: layers, xaxis: "x2", yaxis: "y" }
      : { x: layers, y: values, xaxis: "x", yaxis: "y2" };
  return [
    layerTexts(report, frame, inErrorPanel),
    denseLine(report, frame, inMetricPanel),
    ...report.series.flatMap((_, index) => seriesMarks(report, index, frame, inErrorPanel, inMetricPanel)),
  ];
}

/** Draws nothing: the first line of the hover box of each layer, below its label. */
function layerTexts(report: ErrorAccumulationReport, { labels }: ErrorFrame, place: Place): Data {
  const { layers } = report;
  const texts = layers.map(({ name }, index) => {
    const text = formatLayer(report, index);
    return escapeMarkup(labels[index] === name ? text : `${name}: ${text}`);
  });
  return {
    ...place(
      [...layers.keys()],
      layers.map(() => 0),
    ),
    ...hidden,
    type: "scatter",
    uid: "layers",
    mode: "markers",
    marker: { opacity: 0, size: 1 },
    customdata: texts,
    hovertemplate: customText,
  };
}

function denseLine({ layers, metric }: ErrorAccumulationReport, { theme }: ErrorFrame, place: Place): Data {
  return {
    ...place([-0.5, layers.length - 0.5], [metric.dense, metric.dense]),
    ...hidden,
    type: "scatter",
    uid: "dense",
    mode: "lines",
    line: { color: theme.mutedText, width: 1.5, dash: "dash" },
    hoverinfo: "skip",
  };
}

/** Bars of the local error, a line of the accumulated error and one of the metric, all in the series' colour. */
function seriesMarks(
  { layers, series, metric }: ErrorAccumulationReport,
  index: number,
  { measure, theme, horizontal }: ErrorFrame,
  inErrorPanel: Place,
  inMetricPanel: Place,
): Data[] {
  const { name, errors } = series[index];
  const positions = [...layers.keys()];
  const color = theme.series[index % theme.series.length];
  const mark = (uid: string, what: string, value: (layer: LayerErrors) => string) => ({
    uid: `${index}-${uid}`,
    name: escapeMarkup(name),
    legendgroup: `${index}`,
    customdata: errors.map((layer) => escapeMarkup(`${name}, ${what}: ${value(layer)}`)),
    hovertemplate: customText,
  });
  const line: Data = {
    type: "scatter",
    mode: "lines+markers",
    line: { color, width: 2 },
    marker: { color, symbol: symbols[index % symbols.length], size: 7 },
    connectgaps: false,
  };
  const values = (which: "local" | "accumulated") => errors.map((layer) => layer[which]?.[measure] ?? null);
  return [
    {
      ...mark("local", "this layer", (layer) => formatError(layer.local?.[measure])),
      ...inErrorPanel(positions, values("local")),
      ...hidden,
      type: "bar",
      orientation: horizontal ? "h" : "v",
      marker: { color: `${color}73`, line: { color, width: 1 } },
    },
    {
      ...mark("accumulated", "accumulated", (layer) => formatError(layer.accumulated?.[measure])),
      ...inErrorPanel(positions, values("accumulated")),
      ...line,
    },
    {
      ...mark("metric", metric.name, (layer) => formatMetric(layer.metric, metric)),
      ...inMetricPanel(
        positions,
        errors.map((layer) => layer.metric),
      ),
      ...hidden,
      ...line,
    },
  ];
}
