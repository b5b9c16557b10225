import type { Change, PanelModel } from "../model/panelModel";
import { element, setText } from "./dom";
import { concerns, type Part } from "./part";
import type { Words } from "./words";

/** Which layers are shown: by a part of the name, and by the least that they lose. */
export class FilterBar implements Part {
  readonly node: HTMLElement;
  readonly #name: HTMLInputElement;
  readonly #loss: HTMLInputElement;
  readonly #unit = element("span", { class: "lutnn-muted" });
  readonly #count = element("span", { class: "lutnn-muted lutnn-count" });
  readonly #words: Words;
  #model: PanelModel | null = null;

  constructor(words: Words) {
    this.#words = words;
    const { __ } = words;
    this.#name = element("input", {
      type: "search",
      class: "jp-mod-styled",
      placeholder: __("Filter by name"),
      "aria-label": __("Filter layers by name"),
    });
    this.#loss = element("input", {
      type: "number",
      class: "jp-mod-styled lutnn-threshold",
      step: "any",
      "aria-label": __("Show only layers that alone lose at least"),
    });
    const label = element("label", {}, __("Loss ≥"), this.#loss, this.#unit);
    label.title = __("Show only layers that alone lose at least so much");
    for (const input of [this.#name, this.#loss])
      input.addEventListener("input", () => {
        if (!this.#model) return;
        const leastLoss = this.#loss.value === "" ? null : this.#loss.valueAsNumber;
        this.#model.filter = {
          name: this.#name.value,
          leastLoss: Number.isNaN(leastLoss) ? null : leastLoss,
        };
      });
    this.node = element("div", { class: "lutnn-filter", role: "search" }, this.#name, label, this.#count);
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    if (model !== this.#model) {
      this.#model = model;
      this.#name.value = model.filter.name;
      this.#loss.value = model.filter.leastLoss === null ? "" : String(model.filter.leastLoss);
    }
    if (!concerns(changes, "rows", "overview", "selection", "conversions")) return;
    this.node.hidden = !model.overview;
    setText(this.#unit, model.metric.unit);
    const { __ } = this.#words;
    const shown = model.rows.length;
    const all = model.layers.length;
    const chosen = model.selection.size;
    const layers =
      shown === all ? this.#words._n("%1 layer", "%1 layers", all) : __("%1 of %2 layers", shown, all);
    setText(this.#count, chosen > 1 ? __("%1, %2 chosen", layers, chosen) : layers);
  }
}
