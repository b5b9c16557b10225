import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import { escapeMarkup } from "./escapeMarkup";

export type Cell = string | number | null;

export interface Column {
  title: string;
  align?: "left" | "right";
}

const format = (cell: Cell): string => (cell === null ? "–" : typeof cell === "number" ? String(cell) : cell);

/** Rows under titles: shows itself as a table in a notebook and as aligned text in a terminal. */
export class Table implements Displayable {
  readonly columns: Column[];

  /** @param columns titles; numbers in a column align right by themselves */
  constructor(
    columns: (string | Column)[],
    readonly rows: Cell[][],
    readonly caption = "",
  ) {
    this.columns = columns.map((column) => (typeof column === "string" ? { title: column } : column));
  }

  private alignment(index: number): "left" | "right" {
    const { align } = this.columns[index];
    if (align) return align;
    const cells = this.rows.map((row) => row[index]).filter((cell) => cell !== null);
    return cells.length > 0 && cells.every((cell) => /^[-+±−]?[\d.,]+\s?([%×a-zA-Zµ/]*)$/.test(format(cell)))
      ? "right"
      : "left";
  }

  toString(): string {
    const lines = [this.columns.map(({ title }) => title), ...this.rows.map((row) => row.map(format))];
    const widths = this.columns.map((_, i) => Math.max(...lines.map((line) => [...line[i]].length)));
    const pad = (text: string, i: number) => {
      const space = " ".repeat(widths[i] - [...text].length);
      return this.alignment(i) === "right" ? space + text : text + space;
    };
    const [head, ...body] = lines.map((line) => line.map(pad).join("  ").trimEnd());
    const rule = widths.map((width) => "─".repeat(width)).join("  ");
    return [...(this.caption ? [this.caption] : []), head, rule, ...body].join("\n");
  }

  toHtml(): string {
    const style = (i: number) => ` style="text-align:${this.alignment(i)}"`;
    const row = (cells: string[], tag: string) =>
      `<tr>${cells.map((cell, i) => `<${tag}${style(i)}>${escapeMarkup(cell)}</${tag}>`).join("")}</tr>`;
    const head = row(
      this.columns.map(({ title }) => title),
      "th",
    );
    const body = this.rows.map((cells) => row(cells.map(format), "td")).join("");
    const caption = this.caption
      ? `<caption style="text-align:left">${escapeMarkup(this.caption)}</caption>`
      : "";
    return `<table>${caption}<thead>${head}</thead><tbody>${body}</tbody></table>`;
  }

  [displaySymbol](): MimeBundle {
    return { "text/html": this.toHtml(), "text/plain": this.toString() };
  }
}
