import type { Annotation, Layout, LayoutAxis } from "plotly.js";
import type { ErrorAccumulationReport } from "../../kernel/src/report/errorAccumulation";
import { sizes } from "../../kernel/src/report/figureStyle";
import { plotlyText } from "../../kernel/src/report/plotlyText";
import type { ErrorFrame } from "./errorFigure";
import { type ErrorPanels, errorPanels, type Panel } from "./errorPanels";

const { text: fontSize, small } = sizes;

export function errorLayout(report: ErrorAccumulationReport, frame: ErrorFrame): Partial<Layout> {
  const { width, theme, horizontal } = frame;
  const panels = errorPanels(report, frame);
  const heading = ({ heading, x, y }: Panel): Partial<Annotation> => ({
    text: heading,
    x: x[0],
    y: y[1],
    xref: "paper",
    yref: "paper",
    xanchor: "left",
    yanchor: "bottom",
    align: "left",
    showarrow: false,
  });
  return {
    ...axes(report, frame, panels),
    width,
    height: panels.height,
    margin: panels.margin,
    annotations: [heading(panels.error), heading(panels.metric)],
    font: { family: theme.fontFamily, size: fontSize, color: theme.text },
    paper_bgcolor: theme.background,
    plot_bgcolor: "rgba(128,128,128,0.06)",
    showlegend: true,
    legend: {
      orientation: "h",
      xref: "container",
      x: 0,
      yref: "container",
      y: 1 - panels.legendTop / panels.height,
      yanchor: "top",
      tracegroupgap: 0,
    },
    barmode: "group",
    bargap: panels.bargap,
    hovermode: horizontal ? "y" : "x",
    hoversubplots: "axis",
    hoverdistance: -1, // wherever in the plot the pointer is, it is in the room of a layer
    modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.mutedText, activecolor: theme.text },
    uirevision: report.runId,
  };
}

function axes(report: ErrorAccumulationReport, frame: ErrorFrame, panels: ErrorPanels): Partial<Layout> {
  const { theme, measure, horizontal, labels } = frame;
  const { metric, runId } = report;
  const values: Partial<LayoutAxis> = {
    gridcolor: theme.grid,
    tickfont: { color: theme.mutedText, size: small },
  };
  const errors: Partial<LayoutAxis> = {
    ...values,
    rangemode: "tozero",
    zerolinecolor: theme.mutedText,
    nticks: horizontal ? 4 : 6,
    uirevision: `${runId} ${measure}`,
  };
  const below = metric.higherIsBetter ? 0.05 : 0.02;
  const metrics: Partial<LayoutAxis> = {
    ...values,
    zeroline: false,
    nticks: 4,
    // A change of less than a twentieth shall not fill the panel.
    autorangeoptions: { include: [metric.dense * (1 - below), metric.dense * (1.07 - below)] },
  };
  const end = labels.length - 0.5;
  const [from, to] = frame.shown ?? [-0.5, end];
  const inSight = [...labels.keys()].filter((layer) => layer >= from && layer <= to);
  const named = inSight.filter((_, at) => at % panels.namedEvery === 0);
  const layers: Partial<LayoutAxis> = {
    range: horizontal ? [end, -0.5] : [-0.5, end],
    tickmode: "array",
    tickvals: named,
    ticktext: named.map((layer) => plotlyText(labels[layer])),
    tickangle: panels.slantedLabels ? -45 : 0,
    tickfont: { color: theme.text, size: small },
    ticklabelstandoff: 4,
    showgrid: horizontal,
    gridcolor: theme.grid,
    zeroline: false,
    showspikes: true,
    spikemode: "across",
    spikesnap: "hovered data",
    spikecolor: theme.mutedText,
    spikethickness: 1,
    spikedash: "dot",
    uirevision: `${runId} ${horizontal}`,
  };
  const { error, metric: metricPanel } = panels;
  return horizontal
    ? { yaxis: layers, xaxis: { ...errors, domain: error.x }, xaxis2: { ...metrics, domain: metricPanel.x } }
    : {
        xaxis: { ...layers, anchor: "y2" },
        yaxis: { ...errors, domain: error.y },
        yaxis2: { ...metrics, domain: metricPanel.y },
      };
}
