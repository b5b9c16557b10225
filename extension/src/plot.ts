import { PanelLayout, Widget } from "@lumino/widgets";
import type { Config, Data, Layout } from "plotly.js";
import { type PointedAt, type Reading, Readout } from "./readout";
import { onThemeChange, readTheme, type Theme } from "./theme";

export interface Figure {
  data: Data[];
  layout: Partial<Layout>;
  /** Where it is not read by plotly's own hover boxes. */
  reading?: Reading;
}

/**
 * Builds the figure for a width in pixels and the colours of the page, and for the part of the first axis that the reader has
 * zoomed to. Called for every drawing.
 */
export type FigureBuilder = (width: number, theme: Theme, zoom?: readonly [number, number]) => Figure;

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
  #reading: Reading | undefined;
  #zoom: readonly [number, number] | undefined;
  /** Which figures were drawn last; the reader's pointing lasts until others come. */
  #read = "";
  readonly #chart = new Widget();
  readonly #readout = new Readout();
  readonly #themeObserver = onThemeChange(() => void this.redraw());
  readonly #sizeObserver = new ResizeObserver(() => {
    if (this.node.clientWidth !== this.#width) void this.redraw();
  });

  /** `onFailure` gets the reason when a drawing fails, `onClick` the points that the user clicks. */
  constructor(
    private readonly onFailure: (reason: string) => void,
    private readonly onClick?: (points: PointedAt[]) => void,
  ) {
    super();
    this.node.classList.toggle("lutnn-clickable", onClick !== undefined);
    this.addClass("lutnn-plot");
    this.#chart.addClass("lutnn-chart");
    const layout = new PanelLayout();
    this.layout = layout;
    layout.addWidget(this.#chart);
    layout.addWidget(this.#readout);
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

  /** Reads the figures at points, as if the reader pointed at them. */
  async pointAt(points: PointedAt[]): Promise<void> {
    if (!this.#reading || !this.#chart.node.hasChildNodes()) return;
    const { Fx } = await import("./plotly");
    if (this.isDisposed) return;
    const hovered = points.map(({ trace, point }) => ({ curveNumber: trace, pointNumber: point }));
    Fx.hover(this.#chart.node, hovered); // draws the line that leads to them
    this.#readout.read(this.#reading.at(points));
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this.#themeObserver.disconnect();
    this.#sizeObserver.disconnect();
    if (this.#chart.node.hasChildNodes())
      void import("./plotly").then(({ default: plotly }) => plotly.purge(this.#chart.node));
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
    const { data, layout, reading } = this.#build(width, readTheme(this.node), this.#zoom);
    const isFirst = !this.#chart.node.hasChildNodes();
    const chart = await plotly.react(this.#chart.node, data, layout, config);
    if (isFirst) {
      const pointed = (points: { curveNumber: number; pointNumber: number }[]): PointedAt[] =>
        points.map((point) => ({ trace: point.curveNumber, point: point.pointNumber }));
      const read = (points: PointedAt[]) => {
        if (this.#reading) this.#readout.read(this.#reading.at(points));
      };
      chart.on("plotly_hover", ({ points }) => read(pointed(points)));
      chart.on("plotly_relayout", () => this.#followZoom(chart.layout.xaxis?.range));
      // Hovering is read late, a click at once: what is clicked is what is read.
      chart.on("plotly_click", ({ points }) => {
        read(pointed(points));
        this.onClick?.(pointed(points));
      });
    }
    this.#setReading(reading);
  }

  /** What is written at an axis depends on how much of it is in sight. */
  #followZoom(range: unknown): void {
    if (!Array.isArray(range)) return;
    const [from, to] = range.map(Number);
    if (!(from < to) || (this.#zoom?.[0] === from && this.#zoom[1] === to)) return;
    this.#zoom = [from, to];
    void this.redraw();
  }

  #setReading(reading: Reading | undefined): void {
    this.#reading = reading;
    this.#readout.setHidden(!reading);
    if (!reading) return;
    const read = JSON.stringify([reading.lines, reading.first && reading.at(reading.first)]);
    if (read === this.#read) return;
    this.#read = read;
    this.#readout.invite(reading.lines);
    if (reading.first) this.#readout.read(reading.at(reading.first));
  }
}
