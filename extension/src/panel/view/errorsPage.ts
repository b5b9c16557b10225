import { ErrorChart } from "../../errorChart";
import { perform } from "../model/actions";
import type { Change, PanelModel } from "../model/panelModel";
import { button, element } from "./dom";
import { concerns, type Part } from "./part";
import type { Page } from "./tabs";
import { WidgetSlot } from "./widgetSlot";
import type { Words } from "./words";

export interface ErrorsPageEvents {
  /** A layer's point was clicked. */
  onLayer(name: string): void;
}

/** How the error accumulates: the same chart as the notebook's output. A click on a point chooses its layer. */
export class ErrorsPage implements Part, Page {
  readonly name = "errors";
  readonly title: string;
  readonly node: HTMLElement;
  readonly #chart: ErrorChart;
  readonly #slot: WidgetSlot;
  readonly #invitation: HTMLElement;
  #model: PanelModel | null = null;
  #isShown = false;

  constructor(words: Words, { onLayer }: ErrorsPageEvents) {
    this.title = words.__("Errors");
    this.#chart = new ErrorChart({
      onLayer,
      onMeasure: (measure) => {
        if (this.#model) this.#model.measure = measure;
      },
    });
    this.#slot = new WidgetSlot(this.#chart);
    this.#invitation = element(
      "div",
      { class: "lutnn-invitation" },
      element("p", {}, words.__("How the error grows from layer to layer has not been measured yet.")),
      button(
        words.__("Measure the errors"),
        () =>
          this.#model &&
          void perform("measureErrors", this.#model, { method: "", epochs: 1, learningRate: null }),
        { class: "lutnn-button" },
      ),
    );
    this.node = element("div", {}, this.#invitation, this.#slot.node);
  }

  onShown(isShown: boolean): void {
    this.#isShown = isShown;
    this.#slot.setShown(isShown);
    if (isShown) this.#draw();
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    const isOther = model !== this.#model;
    this.#model = model;
    if (isOther || concerns(changes, "errors", "link", "conversions", "rows")) this.#draw();
  }

  #draw(): void {
    const report = this.#model?.conversion?.get("errors") ?? null;
    this.#invitation.hidden = report !== null;
    this.#slot.node.hidden = report === null;
    if (!this.#model || !report || !this.#isShown) return;
    this.#chart.measure = this.#model.measure;
    void this.#chart.showReport(report);
  }

  attach(): void {
    this.#slot.attach();
  }

  dispose(): void {
    this.#slot.dispose();
  }
}
