import { trainingFigure } from "../charts/trainingFigure";
import type { Change, PanelModel } from "../model/panelModel";
import { ChartSlot } from "./chartSlot";
import { element, setText } from "./dom";
import { errorText, metricText } from "./numbers";
import { concerns, type Part } from "./part";
import type { Page } from "./tabs";
import type { Words } from "./words";

/** The curves of the fine-tuning that runs, or ran last. */
export class TrainingPage implements Part, Page {
  readonly name = "training";
  readonly title: string;
  readonly #sentence = element("p");
  readonly #chart = new ChartSlot();
  readonly node = element("div", {}, this.#sentence, this.#chart.node);
  #model: PanelModel | null = null;
  #isShown = false;

  constructor(private readonly words: Words) {
    this.title = words.__("Training");
  }

  onShown(isShown: boolean): void {
    this.#isShown = isShown;
    if (isShown) this.#draw();
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    const isOther = model !== this.#model;
    this.#model = model;
    if (isOther || concerns(changes, "training", "conversions")) this.#draw();
  }

  attach(): void {
    this.#chart.attach();
  }

  dispose(): void {
    this.#chart.dispose();
  }

  #draw(): void {
    if (!this.#isShown) return;
    const { __ } = this.words;
    const curve = this.#model?.conversion?.get("training") ?? null;
    const metric = this.#model?.metric;
    this.#chart.node.hidden = !curve || curve.points.length === 0;
    if (!curve || !metric) {
      setText(this.#sentence, __("Nothing has been trained yet. Fine-tune trains the replaced layers."));
      return;
    }
    const last = curve.points.at(-1);
    const state = curve.done ? __("%1: ended", curve.command) : __("%1: runs", curve.command);
    const figures = last
      ? __("loss %1, %2 %3", errorText(last.loss), metric.name, metricText(last.metric, metric))
      : __("no figures yet");
    setText(this.#sentence, `${state}; ${figures}.`);
    this.#chart.draw(`${state}; ${figures}.`, (width, theme) =>
      trainingFigure(curve, metric, width, theme, this.words),
    );
  }
}
