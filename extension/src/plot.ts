import { Widget } from "@lumino/widgets";
import type { Config, Data, Layout } from "plotly.js";
import { onThemeChange, readTheme, type Theme } from "./theme";

export interface Figure {
  data: Data[];
  layout: Partial<Layout>;
}

/** Builds the figure for a width in pixels and the colours of the page. Called for every drawing. */
export type FigureBuilder = (width: number, theme: Theme) => Figure;

const config: Partial<Config> = {
  displaylogo: false,
  showTips: false, // they would cover a corner of JupyterLab
  showSendToCloud: false, // nothing leaves the page
  modeBarButtonsToRemove: ["select2d", "lasso2d", "zoomIn2d", "zoomOut2d", "autoScale2d"],
  toImageButtonOptions: { format: "png", scale: 2, filename: "lutnn" },
};

/** Draws a figure with plotly; draws it again, at most once per frame, when the data, the theme or the width change. */
export class Plot extends Widget {
  #build: FigureBuilder | undefined;
  #next: Promise<void> | undefined;
  #width = 0;
  readonly #themeObserver = onThemeChange(() => void this.redraw());
  readonly #sizeObserver = new ResizeObserver(() => {
    if (this.node.clientWidth !== this.#width) void this.redraw();
  });

  /** `onFailure` gets the reason when a drawing fails. */
  constructor(private readonly onFailure: (reason: string) => void) {
    super();
    this.addClass("lutnn-plot");
    this.#sizeObserver.observe(this.node);
  }

  /** Resolves when the figure is drawn, or at the next frame while the widget has no width. */
  draw(build: FigureBuilder): Promise<void> {
    this.#build = build;
    return this.redraw();
  }

  redraw(): Promise<void> {
    this.#next ??= new Promise(requestAnimationFrame).then(() => {
      this.#next = undefined;
      return this.#drawNow().catch((error) =>
        this.onFailure(error instanceof Error ? error.message : String(error)),
      );
    });
    return this.#next;
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#themeObserver.disconnect();
    this.#sizeObserver.disconnect();
    if (this.node.hasChildNodes())
      void import("./plotly").then(({ default: plotly }) => plotly.purge(this.node));
    super.dispose();
  }

  async #drawNow(): Promise<void> {
    const width = this.node.clientWidth;
    this.#width = width;
    if (width === 0) {
      // Observing anew reports the next size, be it the one before: while it changes the theme, JupyterLab hides all.
      this.#sizeObserver.disconnect();
      this.#sizeObserver.observe(this.node);
    }
    if (!this.#build || width === 0) return;
    const { default: plotly } = await import("./plotly");
    if (this.isDisposed) return;
    const { data, layout } = this.#build(width, readTheme(this.node));
    await plotly.react(this.node, data, layout, config);
  }
}
