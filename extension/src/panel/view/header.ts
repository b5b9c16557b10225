import type { Change, PanelModel } from "../model/panelModel";
import { element, setOptions, setText } from "./dom";
import { concerns, type Part } from "./part";
import type { Words } from "./words";

/** Which conversion the panel shows, and of what. */
export class Header implements Part {
  readonly #title = element("h2", { class: "lutnn-title" });
  readonly #choice: HTMLSelectElement;
  readonly #remarks = element("ul", { class: "lutnn-remarks" });
  readonly #details: HTMLDetailsElement;
  readonly #remarkTitle = element("summary");
  readonly node: HTMLElement;
  #model: PanelModel | null = null;

  constructor(private readonly words: Words) {
    this.#choice = element("select", { class: "jp-mod-styled", "aria-label": words.__("Conversion") });
    this.#choice.addEventListener("change", () => this.#model?.choose(this.#choice.value));
    this.#details = element("details", { class: "lutnn-remark-list" }, this.#remarkTitle, this.#remarks);
    this.node = element("header", { class: "lutnn-header" }, this.#title, this.#choice, this.#details);
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    this.#model = model;
    if (!concerns(changes, "conversions", "overview", "link")) return;
    const { overview, conversions, conversion } = model;
    this.node.hidden = !overview;
    setText(this.#title, overview ? overview.model : "");
    this.#title.title = overview ? `${overview.task}; ${this.words.__("profile %1", overview.profile)}` : "";
    this.#choice.hidden = conversions.length < 2;
    const options = conversions.map(({ id, model: network, variable }) => ({
      value: id,
      text: variable ?? this.words.__("%1, no variable", network),
    }));
    setOptions(this.#choice, options, conversion?.id ?? "");
    const remarks = overview?.remarks ?? [];
    this.#details.hidden = remarks.length === 0;
    setText(this.#remarkTitle, this.words._n("%1 remark", "%1 remarks", remarks.length));
    const shown = [...this.#remarks.children].map(({ textContent }) => textContent).join("\n");
    if (shown !== remarks.join("\n"))
      this.#remarks.replaceChildren(...remarks.map((remark) => element("li", {}, remark)));
  }
}
