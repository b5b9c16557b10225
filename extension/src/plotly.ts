// Plotly with the traces that our figures use, and no others. Import it lazily: it is most of the extension.
import bar from "plotly.js/lib/bar";
import Plotly from "plotly.js/lib/core";
import heatmap from "plotly.js/lib/heatmap";

Plotly.register([bar, heatmap]); // the core brings scatter

/** What the package's types leave out: points that are read as if the pointer were there. */
interface Hovering {
  Fx: { hover(chart: HTMLElement, points: { curveNumber: number; pointNumber: number }[]): void };
}

export const { Fx } = Plotly as typeof Plotly & Hovering;
export default Plotly;
