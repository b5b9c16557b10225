import type { Layout, LayoutAxis } from "plotly.js";
import { sizes } from "../../../../kernel/src/report/figureStyle";
import type { Theme } from "../../theme";

/** What the panel's small charts share: fonts, margins, clear backgrounds, no legend, figures by plotly's hover boxes. */
export function chartFrame(theme: Theme, width: number, height: number): Partial<Layout> {
  return {
    width,
    height,
    margin: { l: 56, r: 14, t: 12, b: 42 },
    font: { family: theme.fontFamily, size: sizes.text, color: theme.text },
    paper_bgcolor: theme.background,
    plot_bgcolor: "rgba(128,128,128,0.06)",
    showlegend: false,
    hoverlabel: { bgcolor: theme.background, bordercolor: theme.grid, font: { color: theme.text } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.mutedText, activecolor: theme.text },
  };
}

export function chartAxis(theme: Theme, title: string, more: Partial<LayoutAxis> = {}): Partial<LayoutAxis> {
  return {
    title: { text: title, font: { size: sizes.small, color: theme.text }, standoff: 6 },
    gridcolor: theme.grid,
    linecolor: theme.grid,
    zerolinecolor: theme.grid,
    tickfont: { color: theme.mutedText, size: sizes.small },
    automargin: false,
    ...more,
  };
}
