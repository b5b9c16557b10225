import type { Data, ScatterData } from "plotly.js";
import type { ErrorAccumulationReport } from "../../kernel/src/report/errorAccumulation";
import { sizes, symbols } from "../../kernel/src/report/figureStyle";
import { plotlyText } from "../../kernel/src/report/plotlyText";
import type { ErrorFrame } from "./errorFigure";

/** Values over layers in one of the two panels, which share the axis of the layers: there they are at 0, 1, 2 … */
type Place = (
  layers: number[],
  values: (number | null)[],
) => Pick<ScatterData, "x" | "y" | "xaxis" | "yaxis">;

const hidden = { showlegend: false };

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
    denseLine(report, frame, inMetricPanel),
    ...report.series.flatMap((_, index) => seriesMarks(report, index, frame, inErrorPanel, inMetricPanel)),
  ];
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

/** Bars (or an area) of the local error, a line of the accumulated error and one of the metric, all in the series' colour. */
function seriesMarks(
  { layers, series }: ErrorAccumulationReport,
  index: number,
  { measure, theme, horizontal, isDense }: ErrorFrame,
  inErrorPanel: Place,
  inMetricPanel: Place,
): Data[] {
  const { name, errors } = series[index];
  const positions = [...layers.keys()];
  const color = theme.series[index % theme.series.length];
  const mark = (uid: string) => ({
    uid: `${index}-${uid}`,
    name: plotlyText(name),
    legendgroup: `${index}`,
    hoverinfo: "none" as const, // its figures are read below the chart
  });
  const line: Data = {
    type: "scatter",
    mode: isDense ? "lines" : "lines+markers",
    line: { color, width: sizes.line },
    marker: { color, symbol: symbols[index % symbols.length], size: sizes.marker },
    connectgaps: false,
  };
  const bars: Data = {
    type: "bar",
    orientation: horizontal ? "h" : "v",
    marker: { color: `${color}73`, line: { color, width: 1 } },
  };
  /** Bars without room between them, as one mark. */
  const area: Data = {
    type: "scatter",
    mode: "lines",
    line: { color, width: 1, shape: "hvh" },
    fill: "tozeroy",
    fillcolor: `${color}40`,
    connectgaps: false,
  };
  const values = (which: "local" | "accumulated") => errors.map((layer) => layer[which]?.[measure] ?? null);
  return [
    {
      ...mark("local"),
      ...inErrorPanel(positions, values("local")),
      ...hidden,
      ...(isDense ? area : bars),
    },
    {
      ...mark("accumulated"),
      ...inErrorPanel(positions, values("accumulated")),
      ...line,
    },
    {
      ...mark("metric"),
      ...inMetricPanel(
        positions,
        errors.map((layer) => layer.metric),
      ),
      ...hidden,
      ...line,
    },
  ];
}
