// The one way in which rows under titles are drawn: as an HTML table and as aligned text.
import { escapeMarkup } from "../escapeMarkup";
import type { MimeBundle } from "../host";

export type Alignment = "left" | "right";

export interface Grid {
  titles: readonly string[];
  /** One alignment a column. */
  alignments: readonly Alignment[];
  rows: readonly (readonly string[])[];
  /** The first column holds the rows' own titles. */
  rowTitles?: boolean;
  /** Above and below the table. */
  caption?: string;
  note?: string;
}

export const gridBundle = (grid: Grid): MimeBundle => ({
  "text/html": gridHtml(grid),
  "text/plain": gridText(grid),
});

/** Text that stays text: Jupyter draws what stands between dollars of one node as a formula. */
const textHtml = (text: string): string => escapeMarkup(text).replaceAll("$", "<span>$</span>");

/** One of the two, whatever a caller without types gave. */
const sideOf = (alignment: Alignment): Alignment => (alignment === "right" ? "right" : "left");

export function gridHtml({ titles, alignments, rows, rowTitles, caption, note }: Grid): string {
  const line = (entries: readonly string[], tag: (column: number) => string) => {
    const cells = entries.map(
      (entry, column) =>
        `<${tag(column)} style="text-align:${sideOf(alignments[column])}">${textHtml(entry)}</${tag(column)}>`,
    );
    return `<tr>${cells.join("")}</tr>`;
  };
  const head = line(titles, () => "th");
  const body = rows.map((row) => line(row, (column) => (rowTitles && column === 0 ? "th" : "td"))).join("");
  const above = caption ? `<caption style="text-align:left">${textHtml(caption)}</caption>` : "";
  const below = note ? `<p>${textHtml(note)}</p>` : "";
  return `<table>${above}<thead>${head}</thead><tbody>${body}</tbody></table>${below}`;
}

export function gridText({ titles, alignments, rows, caption, note }: Grid): string {
  const lines = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => [...line[column]].length)));
  const pad = (entry: string, column: number) => {
    const space = " ".repeat(widths[column] - [...entry].length);
    return alignments[column] === "right" ? space + entry : entry + space;
  };
  const [head, ...body] = lines.map((line) => line.map(pad).join("  ").trimEnd());
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return [...(caption ? [caption] : []), head, rule, ...body, ...(note ? [note] : [])].join("\n");
}
