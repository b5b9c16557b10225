import { ErrorChart } from "../../errorChart";
import { perform } from "../model/actions";
import { ChartPage } from "./chartPage";
import { button, element } from "./dom";
import { WidgetSlot } from "./widgetSlot";
import type { Words } from "./words";

export interface ErrorsPageEvents {
  /** A layer's point was clicked. */
  onLayer(name: string): void;
}

/** How the error accumulates: the same chart as the notebook's output. A click on a point chooses its layer. */
export class ErrorsPage extends ChartPage {
  protected readonly shows = ["errors", "link", "conversions", "rows"] as const;
  readonly node: HTMLElement;
  readonly #chart: ErrorChart;
  protected readonly slot: WidgetSlot;
  readonly #invitation: HTMLElement;

  constructor(words: Words, { onLayer }: ErrorsPageEvents) {
    super();
    this.#chart = new ErrorChart({
      onLayer,
      onMeasure: (measure) => {
        if (this.model) this.model.measure = measure;
      },
    });
    this.slot = new WidgetSlot(this.#chart);
    this.#invitation = element(
      "div",
      { class: "lutnn-invitation" },
      element("p", {}, words.__("How the error grows from layer to layer has not been measured yet.")),
      button(
        words.__("Measure the errors"),
        () =>
          this.model &&
          void perform("measureErrors", this.model, { method: "", epochs: 1, learningRate: null }),
        { class: "lutnn-button" },
      ),
    );
    this.node = element("div", {}, this.#invitation, this.slot.node);
  }

  override onShown(isShown: boolean): void {
    this.slot.setShown(isShown);
    super.onShown(isShown);
  }

  protected draw(): void {
    const report = this.model?.conversion?.get("errors") ?? null;
    this.#invitation.hidden = report !== null;
    this.slot.node.hidden = report === null;
    if (!this.model || !report || !this.isShown) return;
    this.#chart.measure = this.model.measure;
    void this.#chart.showReport(report);
  }
}
