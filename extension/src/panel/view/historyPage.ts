import type { PanelState } from "../../../../kernel/src/report/conversionMessages";
import type { Change, PanelModel } from "../model/panelModel";
import { ComparisonView } from "./comparisonView";
import { button, element, newId, setAttribute } from "./dom";
import type { PageContent } from "./lazyPage";
import { metricText } from "./numbers";
import { concerns } from "./part";
import type { Words } from "./words";

/** Every state that there was: to go to, to name, to compare two of, and to write as a cell. */
export class HistoryPage implements PageContent {
  readonly node: HTMLElement;
  readonly #table = element("table", { class: "lutnn-list lutnn-states" });
  readonly #compare: HTMLButtonElement;
  readonly #comparison: ComparisonView;
  readonly #group = newId("compare");
  #model: PanelModel | null = null;
  /** The two states to be compared: the older and the newer. */
  #pair: [number, number] | null = null;
  #naming: number | null = null;
  #isShown = false;

  /** @param onInsert inserts a cell that leads to a state */
  constructor(
    private readonly words: Words,
    private readonly onInsert: (state: number) => void,
  ) {
    const { __ } = words;
    this.#compare = button(
      __("Compare A with B"),
      () => this.#pair && void this.#model?.compare(...this.#pair),
      {
        class: "lutnn-button",
      },
    );
    this.#comparison = new ComparisonView(words);
    // Above the states, of which there may be many.
    this.node = element("div", {}, this.#compare, this.#comparison.node, this.#table);
  }

  onShown(isShown: boolean): void {
    this.#isShown = isShown;
    if (isShown) this.#draw();
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    const isOther = model !== this.#model;
    if (isOther) {
      this.#model = model;
      this.#pair = null;
      this.#naming = null;
    }
    if (isOther || concerns(changes, "history", "conversions")) this.#draw();
    if (isOther || concerns(changes, "comparison", "history", "conversions")) this.#comparison.show(model);
  }

  #draw(): void {
    const history = this.#model?.history;
    if (!this.#isShown || !history || !this.#model) return;
    const { states, current } = history;
    const ids = states.map(({ id }) => id);
    if (!this.#pair?.every((id) => ids.includes(id)))
      this.#pair = [states.find(({ id }) => id === current)?.parent ?? ids[0], current];
    const { __ } = this.words;
    const titles = ["A", "B", __("State")];
    const head = element("tr", {}, ...titles.map((text) => element("th", { scope: "col" }, text)));
    // The newest first: that is where one works.
    const rows = states.toReversed().map((state) => this.#row(state, state.id === current));
    const focused = this.#focused();
    this.#table.replaceChildren(element("thead", {}, head), element("tbody", {}, ...rows));
    this.#focus(focused);
    setAttribute(this.#compare, "aria-disabled", this.#pair[0] === this.#pair[1] ? "true" : null);
  }

  /** What the keyboard is at, as it is found again after the table has been made anew. */
  #focused(): string | null {
    const { activeElement } = document;
    return this.#table.contains(activeElement) ? (activeElement?.getAttribute("data-what") ?? null) : null;
  }

  #focus(what: string | null): void {
    if (what === null) return;
    const controls = [...this.#table.querySelectorAll<HTMLElement>("[data-what]")];
    controls.find(({ dataset }) => dataset.what === what)?.focus();
  }

  #row(state: PanelState, isCurrent: boolean): HTMLElement {
    const { __ } = this.words;
    const { id, label, tuned, replaced, code, unwritten } = state;
    const metric = this.#model?.metric;
    const number = element("span", { class: "lutnn-muted" }, `${id} `);
    const name =
      this.#naming === id
        ? this.#nameInput(state)
        : element("span", { title: code ?? unwritten ?? "" }, label);
    const facts = [
      metric && state.metric !== null ? `${metric.name} ${metricText(state.metric, metric)}` : "",
      this.words._n("%1 layer replaced", "%1 layers replaced", replaced),
      tuned ? __("trained") : "",
    ];
    const cell = element("th", { scope: "row" }, number, name);
    if (isCurrent) cell.append(element("span", { class: "lutnn-badge" }, __("now")));
    cell.append(element("div", { class: "lutnn-muted" }, facts.filter(Boolean).join(", ")));
    const actions = element(
      "div",
      { class: "lutnn-row-actions" },
      this.#button(
        __("Go to"),
        __("Go to state %1", id),
        `go-${id}`,
        isCurrent,
        () => void this.#model?.command({ verb: "goTo", state: id }),
      ),
      this.#button(__("Name"), __("Name state %1", id), `name-${id}`, false, () => this.#startNaming(id)),
      this.#button(
        __("Insert cell"),
        __("Insert a cell that leads to state %1", id),
        `cell-${id}`,
        false,
        () => this.onInsert(id),
      ),
    );
    cell.append(actions);
    const row = element(
      "tr",
      {},
      element("td", {}, this.#radio(0, id)),
      element("td", {}, this.#radio(1, id)),
      cell,
    );
    setAttribute(row, "aria-current", isCurrent ? "true" : null);
    return row;
  }

  #button(text: string, label: string, what: string, disabled: boolean, onClick: () => void): HTMLElement {
    return button(text, onClick, {
      class: "lutnn-button",
      "aria-label": label,
      "data-what": what,
      "aria-disabled": disabled ? "true" : null,
    });
  }

  #radio(side: 0 | 1, id: number): HTMLElement {
    const letter = side === 0 ? "A" : "B";
    const input = element("input", {
      type: "radio",
      name: `${this.#group}-${letter}`,
      "data-what": `${letter}-${id}`,
      "aria-label": this.words.__("Compare as %1: state %2", letter, id),
    });
    input.checked = this.#pair?.[side] === id;
    input.addEventListener("change", () => {
      if (!this.#pair) return;
      this.#pair[side] = id;
      setAttribute(this.#compare, "aria-disabled", this.#pair[0] === this.#pair[1] ? "true" : null);
    });
    return input;
  }

  #startNaming(id: number): void {
    this.#naming = id;
    this.#draw();
    this.#focus(`input-${id}`);
  }

  #nameInput({ id, label }: PanelState): HTMLElement {
    const input = element("input", {
      class: "jp-mod-styled",
      value: label,
      maxlength: 80,
      "data-what": `input-${id}`,
      "aria-label": this.words.__("Name of state %1", id),
    });
    const end = (isTaken: boolean) => {
      if (this.#naming !== id) return;
      this.#naming = null;
      const name = input.value.trim();
      if (isTaken && name && name !== label)
        void this.#model?.command({ verb: "nameState", state: id, label: name });
      this.#draw();
      this.#focus(`name-${id}`);
    };
    input.addEventListener("keydown", ({ key }) => {
      if (key === "Enter" || key === "Escape") end(key === "Enter");
    });
    input.addEventListener("blur", () => end(true));
    return input;
  }
}
