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
    const differing = layers.filter(
      ({ a: before, b: after, moved }) => before.is !== after.is || (moved ?? 0) > 0,
    );
    const measured = (
      [
        ["onlyThis", __("Only this")],
        ["allButThis", __("All but this")],
      ] as const
    ).filter(([of]) => layers.some((layer) => layer.a[of] !== null || layer.b[of] !== null));
    const headings = [
      __("Layer"),
      nameOf("A", a),
      nameOf("B", b),
      __("moved"),
      ...measured.map(([, title]) => __("%1, A → B", title)),
    ];
    const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)));
    const rows = layers.map((layer) => {
      const figures = measured.map(([of]) =>
        element(
          "td",
          { title: __("A dash: not measured in this state") },
          `${metricText(layer.a[of], metric)} → ${metricText(layer.b[of], metric)}`,
        ),
      );
      const row = element(
        "tr",
        {},
        element("th", { scope: "row" }, layer.name),
        element("td", {}, layer.a.is),
        element("td", {}, layer.b.is),
        element("td", { title: __("Relative change of the layer's numbers") }, errorText(layer.moved)),
        ...figures,
      );
      row.classList.toggle("lutnn-differs", differing.includes(layer));
      return row;
    });
    const caption = this.words._n("%1 layer differs.", "%1 layers differ.", differing.length);
    const table = element(
      "table",
      { class: "lutnn-list" },
      element("caption", {}, differing.length === 0 ? __("No layer differs.") : caption),
      element("thead", {}, head),
      element("tbody", {}, ...rows),
    );
    const hint = __(
      "What each layer does alone and among the others was measured in neither state: go to one and measure layers.",
    );
    const more = measured.length > 0 ? [] : [element("p", { class: "lutnn-muted" }, hint)];
    this.node.replaceChildren(element("div", { class: "lutnn-scroll" }, table), ...more);
  }
}
