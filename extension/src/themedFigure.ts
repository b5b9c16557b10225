import type { LayoutAxis, Template } from "plotly.js";
import { sizes } from "../../kernel/src/report/figureStyle";
import { chartFigure } from "./chartFigure";
import { chartTexts } from "./chartReading";
import type { Figure } from "./plot";
import type { Theme } from "./theme";

const knownTraces = ["scatter", "bar", "heatmap"];
const defaultHeight = 360;

/**
 * Untrusted plotly JSON as a figure of this width. What it does not choose itself, or by a template of its own, comes
 * from the theme; a configuration that it brings is not used. It is a copy, as plotly writes into what it draws.
 * Throws where the JSON is no figure that we can draw.
 */
export function themedFigure(json: unknown, width: number, theme: Theme): Figure {
  const { data, layout } = (structuredClone(json) ?? {}) as Partial<Figure>;
  if (!Array.isArray(data) || !data.every(Boolean)) throw new Error("it has no list of traces");
  for (const { type = "scatter" } of data)
    if (!knownTraces.includes(type))
      throw new Error(
        `traces of type ${type} need the extension of the plotly package (here: ${knownTraces.join(", ")})`,
      );
  const texts = chartTexts(layout);
  if (texts && layout) return chartFigure({ data, layout }, texts, width, theme);
  return {
    data,
    layout: {
      template: template(theme),
      width,
      height: defaultHeight,
      ...layout,
    },
  };
}

function template(theme: Theme): Template {
  const axis: Partial<LayoutAxis> = {
    automargin: true,
    gridcolor: theme.grid,
    linecolor: theme.grid,
    zerolinecolor: theme.mutedText,
  };
  return {
    data: { heatmap: [{ type: "heatmap", colorscale: "Viridis" }] },
    layout: {
      paper_bgcolor: theme.background,
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: theme.fontFamily, size: sizes.text, color: theme.text },
      colorway: [...theme.series],
      xaxis: axis,
      yaxis: axis,
      margin: { l: 56, r: 16, t: 48, b: 48 },
      hoverlabel: { bgcolor: theme.background, bordercolor: theme.grid, font: { color: theme.text } },
      modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.mutedText, activecolor: theme.text },
    },
  };
}
