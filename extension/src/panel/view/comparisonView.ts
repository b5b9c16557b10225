import type { StateComparison } from "../../../../kernel/src/report/conversionMessages";
import type { PanelModel } from "../model/panelModel";
import { element } from "./dom";
import { errorText, metricText } from "./numbers";
import type { Words } from "./words";

/** Two states side by side, layer by layer; layers that differ are marked. */
export class ComparisonView {
  readonly node = element("div", { class: "lutnn-comparison" });
  #shown: StateComparison | null = null;

  constructor(private readonly words: Words) {}

  show(model: PanelModel): void {
    const { comparison } = model;
    this.node.hidden = comparison === null;
    if (comparison === this.#shown || !comparison) return;
    this.#shown = comparison;
    const { __ } = this.words;
    const { a, b, layers } = comparison;
    const stateOf = (id: number) => model.history?.states.find((state) => state.id === id);
    const { metric } = model;
    const nameOf = (letter: string, id: number) => {
      const state = stateOf(id);
      const value = state ? metricText(state.metric, metric) : "–";
      return `${letter}: ${id} ${state?.label ?? ""} (${value})`;
    };
    const differing = layers.filter((layer) => layer.a !== layer.b || (layer.moved ?? 0) > 0);
    const headings = [__("Layer"), nameOf("A", a), nameOf("B", b), __("moved")];
    const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)));
    const rows = layers.map((layer) => {
      const row = element(
        "tr",
        {},
        element("th", { scope: "row" }, layer.name),
        element("td", {}, layer.a),
        element("td", {}, layer.b),
        element("td", { title: __("Relative change of the layer's numbers") }, errorText(layer.moved)),
      );
      row.classList.toggle("lutnn-differs", differing.includes(layer));
      return row;
    });
    const caption = this.words._n("%1 layer differs.", "%1 layers differ.", differing.length);
    this.node.replaceChildren(
      element(
        "table",
        { class: "lutnn-list" },
        element("caption", {}, differing.length === 0 ? __("No layer differs.") : caption),
        element("thead", {}, head),
        element("tbody", {}, ...rows),
      ),
    );
  }
}
