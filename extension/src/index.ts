import type { JupyterFrontEnd, JupyterFrontEndPlugin } from "@jupyterlab/application";
import { IRenderMimeRegistry } from "@jupyterlab/rendermime";
import cleanNotebooks from "./cleanNotebooks";
import { LazyRenderer } from "./lazyRenderer";
import panelPlugin from "./panel/lab/panelPlugin";
import { PLOTLY_MIME } from "./plotlyMime";
import { addStyleSheet } from "./styleSheet";

/**
 * Draws general plotly figures where nothing else does. The extension of the plotly package knows all traces and is
 * preferred: a registered renderer stays, and one registered later replaces ours.
 */
const plotlyPlugin: JupyterFrontEndPlugin<void> = {
  id: "jupyterlab-lutnn:plotly",
  description: "Draws plotly figures with bar, scatter and heatmap traces",
  autoStart: true,
  requires: [IRenderMimeRegistry],
  activate: (_app: JupyterFrontEnd, registry: IRenderMimeRegistry) => {
    if (registry.getFactory(PLOTLY_MIME)) return;
    registry.addFactory(
      {
        safe: true,
        mimeTypes: [PLOTLY_MIME],
        createRenderer: () =>
          new LazyRenderer(async () => new (await import("./plotlyRenderer")).PlotlyRenderer()),
      },
      40, // before text/html, which has 50
    );
  },
};

/** How outputs look, and the panel's places. */
const stylePlugin: JupyterFrontEndPlugin<void> = {
  id: "jupyterlab-lutnn:style",
  description: "Brings the style sheet of LUT-NN's outputs",
  autoStart: true,
  activate: () => void addStyleSheet(new URL("jupyterlab-lutnn/style/index.css", import.meta.url)),
};

export default [plotlyPlugin, stylePlugin, cleanNotebooks, panelPlugin];
