import { Widget } from "@lumino/widgets";

/** One line of figures: a colour's name, and a text for each column. */
export interface ReadoutRow {
  /** As CSS has it. */
  color: string;
  name: string;
  values: string[];
}

/** The figures at the place that the reader points at. */
export interface ReadoutContent {
  title: string;
  /** More about the place. */
  note: string;
  /** Headings of the values; none where one column says all. */
  columns: string[];
  rows: ReadoutRow[];
}

/** What the reader points at: a point of a trace, both by their number. */
export interface PointedAt {
  trace: number;
  point: number;
}

/** How a figure is read. */
export interface Reading {
  /** Lines that are kept free for it, so that nothing moves when the reader points. */
  lines: number;
  /** What stands there before the reader points: the figures at these points, else a hint. */
  first?: PointedAt[];
  at(points: PointedAt[]): ReadoutContent;
}

const lineHeight = 19; // pixels

/** Figures in a place of their own below a chart: a box at the pointer would hide what it is about. */
export class Readout extends Widget {
  constructor() {
    super();
    this.addClass("lutnn-readout");
  }

  /** Keeps so many lines free and says what to do. */
  invite(lines: number): void {
    this.node.style.minHeight = `${lines * lineHeight}px`;
    const hint = document.createElement("p");
    hint.textContent = "Point at the chart to read its figures.";
    this.node.replaceChildren(hint);
  }

  read({ title, note, columns, rows }: ReadoutContent): void {
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    const place = cell(head, "th", "");
    place.scope = "col";
    const name = document.createElement("b");
    name.textContent = title;
    place.append(name, note ? ` ${note}` : "");
    for (const column of columns) cell(head, "th", column).scope = "col";
    const body = table.createTBody();
    for (const { color, name, values } of rows) {
      const row = body.insertRow();
      const heading = cell(row, "th", "");
      heading.scope = "row";
      const swatch = document.createElement("i");
      swatch.style.background = color;
      heading.append(swatch, name);
      for (const value of values) cell(row, "td", value);
    }
    this.node.replaceChildren(table);
  }
}

function cell<K extends "th" | "td">(
  row: HTMLTableRowElement,
  tag: K,
  text: string,
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  element.textContent = text;
  row.append(element);
  return element;
}
