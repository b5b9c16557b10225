import { trainingFigure } from "../charts/trainingFigure";
import { ChartPage } from "./chartPage";
import { ChartSlot } from "./chartSlot";
import { element, setText } from "./dom";
import { errorText, metricText } from "./numbers";
import type { Words } from "./words";

/** The curves of the fine-tuning that runs, or ran last. */
export class TrainingPage extends ChartPage {
  protected readonly shows = ["training", "conversions"] as const;
  readonly #sentence = element("p");
  protected readonly slot = new ChartSlot();
  readonly node = element("div", {}, this.#sentence, this.slot.node);

  constructor(private readonly words: Words) {
    super();
  }

  protected draw(): void {
    if (!this.isShown) return;
    const { __ } = this.words;
    const curve = this.model?.conversion?.get("training") ?? null;
    const metric = this.model?.metric;
    this.slot.node.hidden = !curve || curve.points.length === 0;
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
    this.slot.draw(`${state}; ${figures}.`, (width, theme) =>
      trainingFigure(curve, metric, width, theme, this.words),
    );
  }
}
