import { type FigureBuilder, Plot } from "../../plot";
import type { PointedAt } from "../../readout";
import { element, setAttribute, setText } from "./dom";
import { WidgetSlot } from "./widgetSlot";

/** A chart with its name, drawn only while it is in sight; or one sentence that says why it cannot be drawn. */
export class ChartSlot {
  readonly node: HTMLElement;
  readonly #problem = element("p", { class: "lutnn-muted" });
  readonly #plot: Plot;
  readonly #slot: WidgetSlot;

  constructor(onClick?: (points: PointedAt[]) => void) {
    this.#plot = new Plot((reason) => setText(this.#problem, reason), onClick);
    this.#plot.node.role = "figure"; // plotly's buttons are in it
    this.#slot = new WidgetSlot(this.#plot);
    this.node = element("div", { class: "lutnn-output lutnn-chart-slot" }, this.#slot.node, this.#problem);
  }

  /** @param summary what the chart shows, for those who do not see it */
  draw(summary: string, build: FigureBuilder): void {
    setText(this.#problem, "");
    setAttribute(this.#plot.node, "aria-label", summary);
    void this.#plot.draw(build);
  }

  attach(): void {
    this.#slot.attach();
  }

  dispose(): void {
    this.#slot.dispose();
  }
}
