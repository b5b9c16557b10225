import type { LayerRow } from "../model/layerRows";
import { element, setAttribute, setText } from "./dom";
import type { LayerColumn, RowContext } from "./layerColumns";

const endLetters = 9;

/** A name in two parts, of which the second is to be seen; letters stay whole. */
function splitName(name: string): [string, string] {
  if (name.length <= endLetters) return [name, ""];
  const letters = [...name];
  return [letters.slice(0, -endLetters).join(""), letters.slice(-endLetters).join("")];
}

/** The elements of one row in sight. They are used again for other layers; only what differs is written. */
export class LayerRowView {
  readonly node: HTMLElement;
  name = "";
  readonly #cells: {
    node: HTMLElement;
    text: HTMLElement;
    end: HTMLElement | null;
    bar: HTMLElement | null;
  }[];

  constructor(
    id: string,
    private readonly columns: readonly LayerColumn[],
  ) {
    this.#cells = columns.map(({ kind, key, index }) => {
      const text = element("span", { class: "lutnn-text" });
      const bar = kind === "only" || kind === "without" ? element("i", { class: "lutnn-bar" }) : null;
      const role = kind === "name" ? "rowheader" : "gridcell";
      const attributes = {
        role,
        id: `${id}-${key}`,
        class: `lutnn-cell lutnn-${kind} lutnn-of-${key}`,
        "aria-colindex": index,
      };
      const node = element("div", attributes, text);
      if (bar) node.append(bar);
      // Names of layers differ at their ends, so what has no room is their middle.
      const end = kind === "name" ? element("span", { class: "lutnn-name-end" }) : null;
      if (end) {
        node.dir = "auto";
        node.append(end);
      }
      return { node, text, end, bar };
    });
    this.node = element("div", { role: "row", class: "lutnn-row" }, ...this.#cells.map(({ node }) => node));
  }

  /** @param place in the order that is shown, from 0 */
  show(row: LayerRow, place: number, height: number, context: RowContext): void {
    this.name = row.layer.name;
    const top = `${place * height}px`;
    if (this.node.style.top !== top) this.node.style.top = top;
    setAttribute(this.node, "aria-rowindex", place + 2);
    setAttribute(this.node, "data-state", row.layer.state);
    const stale = Object.entries(row.isStale).flatMap(([kind, isStale]) => (isStale ? [kind] : []));
    setAttribute(this.node, "data-stale", stale.join(" ") || null);
    for (const [index, column] of this.columns.entries()) {
      const { node, text, end, bar } = this.#cells[index];
      const content = column.content(row, context);
      const [first, last] = end ? splitName(content.text) : [content.text, ""];
      setText(text, first);
      if (end) setText(end, last);
      setAttribute(node, "title", content.title ?? null);
      if (!bar) continue;
      const scale = `scaleX(${(content.share ?? 0).toFixed(3)})`;
      if (bar.style.transform !== scale) bar.style.transform = scale;
    }
  }

  /** @param column number of the active cell's column */
  mark(isChosen: boolean, isActive: boolean, column: number): void {
    setAttribute(this.node, "aria-selected", String(isChosen));
    this.node.classList.toggle("lutnn-active-row", isActive);
    for (const [index, { node }] of this.#cells.entries())
      node.classList.toggle("lutnn-active", isActive && index === column);
  }

  cellId(column: number): string | undefined {
    return this.#cells[column]?.node.id;
  }

  columnOf(target: Node): number {
    return this.#cells.findIndex(({ node }) => node.contains(target));
  }
}
