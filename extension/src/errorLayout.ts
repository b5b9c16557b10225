import type { Layout, LayoutAxis } from "plotly.js";
import type { ErrorAccumulationReport } from "../../kernel/src/report/errorAccumulation";
import { type ErrorFrame, errorMeasures } from "./errorFigure";
import { escapeMarkup, formatMetric } from "./format";

// All sizes in pixels. Plotly takes fractions of the plot: they are computed from these.
const fontSize = 12;
const letter = 7;
const line = 16;
const valueLabels = 48;
const edge = 16;
const widestBar = 32;

/** Fixed sizes everywhere, so that nothing moves while values stream in. */
export function errorLayout(
  report: ErrorAccumulationReport,
  { width, theme, measure, horizontal, labels }: ErrorFrame,
): Partial<Layout> {
  const { metric, layers, series, runId } = report;
  const labelWidth = Math.max(...labels.map((label) => label.length), 4) * letter;
  const column = (width - valueLabels - edge) / layers.length;
  const slanted = labelWidth + letter > column;

  const errorTitle = [errorMeasures[measure], "▮\u00a0this layer", "●\u00a0accumulated"];
  const metricTitle = [
    capitalise(metric.unit ? `${metric.name}, ${metric.unit}` : metric.name),
    `┅\u00a0dense: ${formatMetric(metric.dense, metric)}`,
  ];

  const left = horizontal ? labelWidth + 16 : valueLabels;
  const plotWidth = width - left - edge;
  const gap = horizontal ? 24 : 28;
  const legend =
    19 *
      legendRows(
        series.map((one) => one.name),
        plotWidth,
      ) +
    10;
  const errorWidth = horizontal ? Math.round((plotWidth - gap) * 0.58) : plotWidth;
  const metricWidth = horizontal ? plotWidth - gap - errorWidth : plotWidth;
  const errorHead = heading(errorTitle, errorWidth);
  const metricHead = heading(metricTitle, metricWidth);
  const headHeight = line * Math.max(errorHead.lines, metricHead.lines) + 8;

  const errorHeight = horizontal ? Math.max(150, layers.length * Math.max(22, 10 + 8 * series.length)) : 220;
  const metricHeight = horizontal ? errorHeight : 120;
  const top = legend + headHeight;
  const bottom = horizontal ? 28 : slanted ? labelWidth * Math.SQRT1_2 + 20 : 28;
  const plotHeight = horizontal ? errorHeight : errorHeight + gap + headHeight + metricHeight;

  const room = horizontal ? errorHeight / layers.length : column; // of a layer
  const bars = Math.min(0.76, (widestBar * series.length) / room);

  const valueAxis: Partial<LayoutAxis> = {
    rangemode: "tozero",
    gridcolor: theme.grid,
    zerolinecolor: theme.mutedText,
    tickfont: { color: theme.mutedText, size: fontSize - 1 },
    nticks: horizontal ? 4 : 6,
  };
  const errorAxis: Partial<LayoutAxis> = { ...valueAxis, uirevision: `${runId} ${measure}` };
  const below = metric.higherIsBetter ? 0.05 : 0.02;
  const metricAxis: Partial<LayoutAxis> = {
    ...valueAxis,
    rangemode: "normal",
    nticks: 4,
    zeroline: false,
    // A drop of less than a twentieth shall not fill the panel.
    autorangeoptions: { include: [metric.dense * (1 - below), metric.dense * (1.07 - below)] },
  };
  const end = layers.length - 0.5;
  const layerAxis: Partial<LayoutAxis> = {
    range: horizontal ? [end, -0.5] : [-0.5, end],
    tickmode: "array",
    tickvals: layers.map((_, layer) => layer),
    ticktext: labels.map(escapeMarkup),
    tickangle: horizontal || !slanted ? 0 : -45,
    tickfont: { color: theme.text, size: fontSize - 1 },
    ticklabelstandoff: 4,
    showgrid: horizontal,
    gridcolor: theme.grid,
    zeroline: false,
    spikecolor: theme.mutedText,
    spikethickness: 1,
    spikedash: "dot",
    uirevision: `${runId} ${horizontal}`,
  };
  const first = (horizontal ? errorWidth : errorHeight) / (horizontal ? plotWidth : plotHeight);
  const second = (horizontal ? metricWidth : metricHeight) / (horizontal ? plotWidth : plotHeight);
  const axes: Partial<Layout> = horizontal
    ? {
        xaxis: { ...errorAxis, domain: [0, first] },
        xaxis2: { ...metricAxis, domain: [1 - second, 1] },
        yaxis: layerAxis,
      }
    : {
        xaxis: { ...layerAxis, anchor: "y2" },
        yaxis: { ...errorAxis, domain: [1 - first, 1] },
        yaxis2: { ...metricAxis, domain: [0, second] },
      };

  const title = (text: string, x: number, y: number) => ({
    text,
    x,
    y,
    xref: "paper" as const,
    yref: "paper" as const,
    xanchor: "left" as const,
    yanchor: "bottom" as const,
    align: "left" as const,
    showarrow: false,
    font: { color: theme.text, size: fontSize },
  });
  return {
    ...axes,
    width,
    height: top + plotHeight + bottom,
    margin: { l: left, r: edge, t: top, b: bottom, pad: 0 },
    annotations: [
      title(errorHead.text, 0, 1),
      horizontal ? title(metricHead.text, 1 - second, 1) : title(metricHead.text, 0, second),
    ],
    font: { family: theme.fontFamily, size: fontSize, color: theme.text },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(128,128,128,0.06)",
    showlegend: true,
    legend: {
      orientation: "h",
      xref: "container",
      x: 0,
      yref: "container",
      y: 1,
      yanchor: "top",
      tracegroupgap: 0,
    },
    barmode: "group",
    bargap: 1 - bars,
    hovermode: horizontal ? "y unified" : "x unified",
    hoversubplots: "axis",
    hoverlabel: {
      bgcolor: theme.background,
      bordercolor: theme.grid,
      font: { color: theme.text, size: fontSize - 1 },
    },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.mutedText, activecolor: theme.text },
    uirevision: runId,
  };
}

/** A bold title and the key of the marks: in one line, or broken into lines where the panel is too narrow. */
function heading([title, ...key]: string[], width: number): { text: string; lines: number } {
  const together = [title, ...key].join("   ").length * letter <= width;
  const lines = (phrase: string) => (together ? [phrase] : breakLines(phrase, width / letter));
  const text = [
    ...lines(title).map((text) => `<b>${escapeMarkup(text)}</b>`),
    ...key.flatMap(lines).map(escapeMarkup),
  ];
  return { text: text.join(together ? "&nbsp; &nbsp;" : "<br>"), lines: together ? 1 : text.length };
}

function breakLines(phrase: string, letters: number): string[] {
  const lines: string[] = [];
  for (const word of phrase.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= letters) lines[lines.length - 1] += ` ${word}`;
    else lines.push(word);
  }
  return lines;
}

function capitalise(phrase: string): string {
  return phrase.charAt(0).toUpperCase() + phrase.slice(1);
}

function legendRows(names: string[], width: number): number {
  let rows = 1;
  let filled = 0;
  for (const name of names) {
    const entry = 45 + name.length * letter;
    if (filled > 0 && filled + entry > width) {
      rows++;
      filled = 0;
    }
    filled += entry;
  }
  return rows;
}
