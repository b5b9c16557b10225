import type { Data } from "plotly.js";
import type { PlanCurve } from "../../../../kernel/src/report/conversionMessages";
import { sizes } from "../../../../kernel/src/report/figureStyle";
import { shortNumber } from "../../../../kernel/src/report/format";
import { plotlyText } from "../../../../kernel/src/report/plotlyText";
import type { Figure } from "../../plot";
import type { Theme } from "../../theme";
import type { Words } from "../view/words";
import { chartAxis, chartFrame } from "./chartFrame";

/** A plan's costs in the unit that its axis names. */
export const planCosts = (words: Words) => ({
  flops: { title: words.__("operations (M)"), scale: 1e-6 },
  bytes: { title: words.__("size (KiB)"), scale: 1 / 1024 },
  latency: { title: words.__("time (ms)"), scale: 1 },
});

/** The trade-off: what the network would cost, and how far its answers would be from the dense one's; and where it is now. */
export function planFigure(plan: PlanCurve, width: number, theme: Theme, words: Words): Figure {
  const { title, scale } = planCosts(words)[plan.cost];
  const x = plan.points.map(({ cost }) => cost * scale);
  const [color, nowColor] = theme.series;
  const name = (point: PlanCurve["points"][number]) =>
    plotlyText(words.__("%1 layers replaced", point.replaced)) +
    (point.measuredDrop === null
      ? ""
      : `<br>${plotlyText(words.__("loses %1", shortNumber(point.measuredDrop)))}`);
  const curve: Data = {
    type: "scatter",
    mode: "lines+markers",
    x,
    y: plan.points.map(({ harm }) => harm),
    text: plan.points.map(name),
    hovertemplate: "%{text}<br>%{x:.4g}, %{y:.3g}<extra></extra>",
    line: { color, width: sizes.line, shape: "hv" },
    marker: { color, size: sizes.marker + 1 },
  };
  const { cost, point } = plan.now;
  const now = (at: number): Data => ({
    type: "scatter",
    mode: "lines",
    x: [at * scale, at * scale],
    y: [0, Math.max(...plan.points.map(({ harm }) => harm), 0)],
    hoverinfo: "skip",
    line: { color: nowColor, width: 1.5, dash: "dash" },
  });
  const here: Data[] =
    point === null || !plan.points[point]
      ? []
      : [
          {
            type: "scatter",
            mode: "markers",
            x: [x[point]],
            y: [plan.points[point].harm],
            hoverinfo: "skip",
            marker: { color: nowColor, size: 13, symbol: "circle-open", line: { width: 2, color: nowColor } },
          },
        ];
  return {
    data: [curve, ...(cost === null ? [] : [now(cost)]), ...here],
    layout: {
      ...chartFrame(theme, width, 260),
      hovermode: "closest",
      xaxis: chartAxis(theme, title),
      yaxis: chartAxis(theme, words.__("harm (%1)", plan.divergenceUnit), { rangemode: "tozero" }),
    },
  };
}
