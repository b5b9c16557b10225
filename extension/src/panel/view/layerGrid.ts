import type { LayerRow } from "../model/layerRows";
import { lossOf } from "../model/layerRows";
import type { Change, PanelModel } from "../model/panelModel";
import { element, newId, setAttribute } from "./dom";
import { type LayerColumn, layerColumns, type RowContext } from "./layerColumns";
import { LayerRowView } from "./layerRowView";
import { concerns, type Part } from "./part";
import type { Words } from "./words";

const rowHeight = 30; // pixels, as style/panel.css has it
const spareRows = 3;

/**
 * The layers as a grid that is read and worked by keyboard (the focus stays on the grid, which names its active cell).
 * Only rows in sight have elements, so that 500 layers cost no more than 20.
 */
export class LayerGrid implements Part {
  readonly node: HTMLElement;
  /** How bars are labelled. */
  showsLoss = false;
  readonly #id = newId("grid");
  readonly #allColumns: LayerColumn[];
  #columns: LayerColumn[] = [];
  readonly #head = element("div", { role: "row", class: "lutnn-grid-head", "aria-rowindex": 1 });
  readonly #body = element("div", { role: "rowgroup", class: "lutnn-grid-body" });
  #views: LayerRowView[] = [];
  #made = 0;
  #model: PanelModel | null = null;
  #rows: readonly LayerRow[] = [];
  /** Whether the keyboard is at the titles, and at which column. */
  #atHead = false;
  #column = 2;
  readonly #sizes = new ResizeObserver(() => this.#fit());

  /** @param onOpen is called when a layer is to be looked into */
  constructor(
    words: Words,
    private readonly onOpen: () => void,
  ) {
    this.#allColumns = layerColumns(words);
    this.node = element(
      "div",
      {
        role: "grid",
        class: "lutnn-grid",
        tabindex: 0,
        "aria-label": words.__("Layers of the network"),
        "aria-multiselectable": "true",
        "aria-colcount": this.#allColumns.length,
      },
      element("div", { role: "rowgroup", class: "lutnn-grid-titles" }, this.#head),
      this.#body,
    );
    this.node.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.node.addEventListener("keydown", (event) => this.#onKey(event));
    this.#body.addEventListener("click", (event) => this.#onClick(event));
    this.#body.addEventListener("dblclick", () => this.onOpen());
    this.#sizes.observe(this.node);
    this.#chooseColumns(0);
  }

  update(model: PanelModel, changes: ReadonlySet<Change>): void {
    const isOther = model !== this.#model;
    this.#model = model;
    if (isOther || concerns(changes, "rows")) {
      this.#rows = model.rows;
      setAttribute(this.node, "aria-rowcount", this.#rows.length + 1);
      this.#body.style.height = `${this.#rows.length * rowHeight}px`;
      this.#markOrder();
    }
    if (isOther || concerns(changes, "rows", "overview", "selection")) this.#draw();
    if (concerns(changes, "selection")) this.#reveal();
  }

  dispose(): void {
    this.#sizes.disconnect();
  }

  /** Draws all rows anew, after a setting. */
  redraw(): void {
    this.#draw();
  }

  #context(model: PanelModel): RowContext {
    const { metric } = model;
    const losses = this.#rows.flatMap(({ loss, lossWithoutIt }) => [loss ?? 0, lossWithoutIt ?? 0]);
    const least = metric.dense === null ? 0 : Math.abs(metric.dense) * 0.01; // a hundredth shall not fill a bar
    return {
      metric,
      measure: model.measure,
      showsLoss: this.showsLoss,
      largestLoss: Math.max(least, lossOf(metric.now, metric) ?? 0, ...losses),
    };
  }

  #draw(): void {
    const model = this.#model;
    if (!model) return;
    const inSight = Math.ceil(this.node.clientHeight / rowHeight) + 2 * spareRows;
    // Where the list has just become shorter, it may be scrolled beyond its end still.
    const scrolled = Math.min(
      Math.floor(this.node.scrollTop / rowHeight) - spareRows,
      this.#rows.length - inSight,
    );
    const first = Math.max(0, scrolled);
    const last = Math.min(this.#rows.length, first + inSight);
    this.#views = this.#viewsOf(this.#rows.slice(first, last));
    const context = this.#context(model);
    for (const [index, view] of this.#views.entries()) {
      const row = this.#rows[first + index];
      const name = row.layer.name;
      view.show(row, first + index, rowHeight, context);
      view.mark(model.selection.has(name), !this.#atHead && name === model.selection.active, this.#column);
    }
    this.#markActive();
  }

  /**
   * Elements for rows, in their order. A layer keeps its element while it is in sight, so that an order which changes under the
   * pointer never gives a click to another layer.
   */
  #viewsOf(rows: readonly LayerRow[]): LayerRowView[] {
    const left = new Map(this.#views.map((view) => [view.name, view]));
    const kept = rows.map(({ layer }) => {
      const view = left.get(layer.name);
      left.delete(layer.name);
      return view;
    });
    const spare = [...left.values()];
    const views = kept.map((view) => view ?? spare.pop() ?? this.#newView());
    for (const { node } of spare) node.remove();
    let next: Node | null = null;
    for (const { node } of views.toReversed()) {
      if (node.parentNode !== this.#body || node.nextSibling !== next) this.#body.insertBefore(node, next);
      next = node;
    }
    return views;
  }

  #newView(): LayerRowView {
    this.#made++;
    return new LayerRowView(`${this.#id}-row-${this.#made}`, this.#columns);
  }

  /** The active cell's id, for screen readers; none while it is out of sight. */
  #markActive(): void {
    const active = this.#model?.selection.active;
    const view = this.#views.find(({ name }) => name === active);
    for (const [index, title] of [...this.#head.children].entries())
      title.classList.toggle("lutnn-active", this.#atHead && index === this.#column);
    const id = this.#atHead ? this.#head.children[this.#column]?.id : view?.cellId(this.#column);
    setAttribute(this.node, "aria-activedescendant", id ?? null);
  }

  #fit(): void {
    this.#chooseColumns(this.node.clientWidth);
    this.#draw();
  }

  /** Columns that have room; others are read in the layer's page. */
  #chooseColumns(width: number): void {
    const columns = this.#allColumns.filter(({ from }) => from <= width);
    if (columns.length === this.#columns.length) return;
    this.#columns = columns;
    this.#column = Math.min(this.#column, columns.length - 1);
    this.node.style.setProperty("--lutnn-columns", columns.map((column) => column.width).join(" "));
    this.#head.replaceChildren(...columns.map((column) => this.#title(column)));
    this.#views = [];
    this.#body.replaceChildren();
    this.#markOrder();
  }

  #title(column: LayerColumn): HTMLElement {
    const isNarrow = column.kind === "state" || column.kind === "mark";
    const title = element(
      "div",
      {
        role: "columnheader",
        id: `${this.#id}-title-${column.key}`,
        class: `lutnn-cell lutnn-${column.kind}`,
        "aria-colindex": column.index,
        title: column.meaning ?? column.title,
        "aria-label": isNarrow ? column.title : null,
      },
      element("span", {}, isNarrow ? "" : column.title),
    );
    title.addEventListener("click", () => this.#sort(column));
    return title;
  }

  /** Largest first at a number's first press, then the other way, then the network's order. */
  #sort({ key, kind }: LayerColumn): void {
    const model = this.#model;
    if (!model) return;
    const { order } = model;
    const firstDescends = kind !== "name" && kind !== "state" && kind !== "text" && kind !== "mark";
    if (order.key !== key) model.order = { key, descending: firstDescends };
    else if (order.descending === firstDescends) model.order = { key, descending: !firstDescends };
    else model.order = { key: "order", descending: false };
  }

  #markOrder(): void {
    const order = this.#model?.order;
    for (const [index, title] of [...this.#head.children].entries()) {
      const sorts = order && this.#columns[index]?.key === order.key;
      setAttribute(title, "aria-sort", !sorts ? null : order.descending ? "descending" : "ascending");
    }
  }

  #onClick(event: MouseEvent): void {
    const model = this.#model;
    const view = this.#views.find(({ node }) => event.target instanceof Node && node.contains(event.target));
    if (!model || !view) return;
    this.#atHead = false;
    this.#column = Math.max(0, view.columnOf(event.target as Node));
    const names = this.#rows.map(({ layer }) => layer.name);
    const isMark = this.#columns[this.#column]?.kind === "mark";
    model.select((selection) => {
      if (event.shiftKey) selection.extendTo(view.name, names);
      else if (event.ctrlKey || event.metaKey || isMark) selection.toggle(view.name);
      else selection.only(view.name);
    });
  }

  #onKey(event: KeyboardEvent): void {
    const model = this.#model;
    if (!model || event.altKey) return;
    const step = this.#stepOf(event.key);
    const withControl = event.ctrlKey || event.metaKey;
    if (step !== null && !(withControl && event.key.length === 1)) this.#move(model, step, event.shiftKey);
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      const next = this.#column + (event.key === "ArrowLeft" ? -1 : 1);
      this.#column = Math.min(this.#columns.length - 1, Math.max(0, next));
      this.#draw();
    } else if (this.#atHead && (event.key === "Enter" || event.key === " "))
      this.#sort(this.#columns[this.#column]);
    else if (event.key === " " && model.selection.active !== null)
      model.select((selection) => selection.active !== null && selection.toggle(selection.active));
    else if (event.key === "Enter") this.onOpen();
    else if (withControl && event.key.toLowerCase() === "a")
      model.select((selection) => selection.all(this.#rows.map(({ layer }) => layer.name)));
    else if (event.key === "Escape" && model.selection.size > 0)
      model.select((selection) => selection.none());
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** By how many rows a key moves. */
  #stepOf(key: string): number | null {
    const page = Math.max(1, Math.floor(this.node.clientHeight / rowHeight) - 2);
    const steps: Record<string, number> = {
      ArrowUp: -1,
      ArrowDown: 1,
      PageUp: -page,
      PageDown: page,
      Home: Number.NEGATIVE_INFINITY,
      End: Number.POSITIVE_INFINITY,
    };
    return Object.hasOwn(steps, key) ? steps[key] : null;
  }

  #move(model: PanelModel, step: number, extend: boolean): void {
    const names = this.#rows.map(({ layer }) => layer.name);
    if (names.length === 0) return;
    const at = this.#atHead || model.selection.active === null ? -1 : names.indexOf(model.selection.active);
    const wanted = at + step;
    this.#atHead = wanted < 0 && step === -1;
    const to = Math.min(names.length - 1, Math.max(0, wanted));
    if (this.#atHead) {
      this.node.scrollTop = 0;
      this.#draw();
      return;
    }
    const single = model.selection.size <= 1;
    model.select((selection) => {
      if (extend) selection.extendTo(names[to], names);
      else if (single) selection.only(names[to]);
      else selection.moveTo(names[to]);
    });
  }

  /** Scrolls so that the active row can be seen. */
  #reveal(): void {
    const at = this.#rows.findIndex(({ layer }) => layer.name === this.#model?.selection.active);
    if (at < 0) return;
    const top = at * rowHeight;
    const room = this.node.clientHeight - this.#head.clientHeight;
    if (top < this.node.scrollTop) this.node.scrollTop = top;
    else if (top + rowHeight > this.node.scrollTop + room) this.node.scrollTop = top + rowHeight - room;
    this.#draw();
  }
}
