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

/** Of one of the two, whatever a caller without types gave. Numbers, on the right, stay on a line with their units. */
const styleOf = (alignment: Alignment): string =>
  alignment === "right" ? "text-align:right;white-space:nowrap" : "text-align:left";

export function gridHtml({ titles, alignments, rows, rowTitles, caption, note }: Grid): string {
  const line = (entries: readonly string[], tag: (column: number) => string) => {
    const cells = entries.map(
      (entry, column) =>
        `<${tag(column)} style="${styleOf(alignments[column])}">${textHtml(entry)}</${tag(column)}>`,
    );
    return `<tr>${cells.join("")}</tr>`;
  };
  const head = line(titles, () => "th");
  const body = rows.map((row) => line(row, (column) => (rowTitles && column === 0 ? "th" : "td"))).join("");
  // A <caption> is as wide as its table, and runs out of sight with a wide one.
  const paragraph = (text?: string) => (text ? `<p>${textHtml(text)}</p>` : "");
  const label = caption ? ` aria-label="${escapeMarkup(caption)}"` : "";
  return `${paragraph(caption)}<table${label}><thead>${head}</thead><tbody>${body}</tbody></table>${paragraph(note)}`;
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
