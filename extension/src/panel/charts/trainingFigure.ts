import type { Data } from "plotly.js";
import type { PanelMetric, TrainingCurve } from "../../../../kernel/src/report/conversionMessages";
import { sizes } from "../../../../kernel/src/report/figureStyle";
import { plotlyText } from "../../../../kernel/src/report/plotlyText";
import type { Figure } from "../../plot";
import type { Theme } from "../../theme";
import type { Words } from "../view/words";
import { chartAxis, chartFrame } from "./chartFrame";

const gap = 0.12; // between the panels, as a part of the height

/** Loss and metric of a training run over its epochs, one above the other; beside the metric the dense network's. */
export function trainingFigure(
  { points, command }: TrainingCurve,
  metric: PanelMetric,
  width: number,
  theme: Theme,
  words: Words,
): Figure {
  const x = points.map(({ epoch }) => epoch);
  const hasMetric = points.some((point) => point.metric !== null);
  const line = (y: (number | null)[], index: number, axis: "y" | "y2"): Data => ({
    type: "scatter",
    mode: "lines+markers",
    x,
    y,
    yaxis: axis,
    connectgaps: true,
    line: { color: theme.series[index], width: sizes.line },
    marker: { color: theme.series[index], size: 5 },
    hovertemplate: "%{y:.4g}<extra></extra>",
  });
  const dense: Data[] =
    metric.dense === null || !hasMetric || x.length === 0
      ? []
      : [
          {
            type: "scatter",
            mode: "lines",
            x: [Math.min(...x), Math.max(...x)],
            y: [metric.dense, metric.dense],
            yaxis: "y2",
            hoverinfo: "skip",
            line: { color: theme.mutedText, width: 1.5, dash: "dash" },
          },
        ];
  const metricTitle = metric.unit ? `${metric.name} (${metric.unit})` : metric.name;
  return {
    data: [
      line(
        points.map(({ loss }) => loss),
        0,
        "y",
      ),
      ...(hasMetric
        ? [
            line(
              points.map((point) => point.metric),
              1,
              "y2",
            ),
          ]
        : []),
      ...dense,
    ],
    layout: {
      ...chartFrame(theme, width, hasMetric ? 320 : 200),
      hovermode: "x",
      xaxis: chartAxis(theme, words.__("epoch"), { anchor: hasMetric ? "y2" : "y", zeroline: false }),
      yaxis: chartAxis(theme, words.__("loss"), { domain: hasMetric ? [0.5 + gap / 2, 1] : [0, 1] }),
      ...(hasMetric
        ? { yaxis2: chartAxis(theme, plotlyText(metricTitle), { domain: [0, 0.5 - gap / 2] }) }
        : {}),
      uirevision: command,
    },
  };
}
