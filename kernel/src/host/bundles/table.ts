import { inspect } from "node:util";
import type { MimeBundle } from "../host";
import { escapeHtml } from "./escapeHtml";

/** Rows and columns that are shown; of more rows, the first and the last. */
const mostRows = 40;
const mostColumns = 30;
/** Characters of one entry. */
const longestEntry = 80;

type Row = Record<string, unknown>;

/** An array of plain objects as a table, one column per key; null for other arrays. */
export function recordsBundle(values: readonly unknown[]): MimeBundle | null {
  if (values.length === 0 || !values.every(isRecord)) return null;
  const rows = values as readonly Row[];
  const columns = [...new Set(rows.slice(0, 1000).flatMap((row) => Object.keys(row)))];
  if (columns.length === 0) return null;
  return tableBundle(columns, rows.length, (row) => columns.map((column) => rows[row][column]));
}

/** A Map as a table of keys and values. */
export function mapBundle(map: ReadonlyMap<unknown, unknown>): MimeBundle {
  const entries = [...map];
  return {
    ...tableBundle(["key", "value"], entries.length, (row) => entries[row]),
    "text/plain": inspect(map),
  };
}

/** @param rowAt the entries of a row, of which only the ones that are shown are asked for */
export function tableBundle(
  columns: readonly string[],
  rowCount: number,
  rowAt: (row: number) => readonly unknown[],
): MimeBundle {
  const header = columns.slice(0, mostColumns);
  const half = mostRows / 2;
  const indices =
    rowCount <= mostRows
      ? [...Array(rowCount).keys()]
      : [...Array(half).keys(), ...Array.from({ length: half }, (_, index) => rowCount - half + index)];
  const rows = indices.map((index) => ({
    index: String(index),
    entries: rowAt(index).slice(0, mostColumns).map(entryText),
    numeric: rowAt(index).map((entry) => typeof entry === "number" || typeof entry === "bigint"),
  }));
  const size = `${rowCount} rows × ${columns.length} columns`;
  const cut = rowCount > mostRows || columns.length > mostColumns;
  return {
    "text/html": htmlTable(header, rows, cut ? size : null, rowCount > mostRows ? half : -1),
    "text/plain": plainTable(header, rows, cut ? size : null, rowCount > mostRows ? half : -1),
  };
}

interface ShownRow {
  index: string;
  entries: string[];
  numeric: boolean[];
}

function htmlTable(header: readonly string[], rows: ShownRow[], size: string | null, gapAt: number): string {
  const headings = header.map((name) => `<th>${escapeHtml(name)}</th>`).join("");
  const body = rows.map(({ index, entries, numeric }, at) => {
    const gap = at === gapAt ? `<tr><th>…</th><td colspan="${header.length}">…</td></tr>\n` : "";
    const cells = entries.map(
      (entry, column) =>
        `<td${numeric[column] ? ' style="text-align: right"' : ""}>${escapeHtml(entry)}</td>`,
    );
    return `${gap}<tr><th>${index}</th>${cells.join("")}</tr>`;
  });
  const note = size ? `\n<p>${size}</p>` : "";
  return `<table>\n<thead><tr><th></th>${headings}</tr></thead>\n<tbody>\n${body.join("\n")}\n</tbody>\n</table>${note}`;
}

function plainTable(header: readonly string[], rows: ShownRow[], size: string | null, gapAt: number): string {
  const lines = [["", ...header], ...rows.map(({ index, entries }) => [index, ...entries])];
  const widths = lines[0].map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const numeric = (row: number, column: number) => column === 0 || rows[row]?.numeric[column - 1];
  const text = lines.map((line, at) =>
    line
      .map((entry, column) =>
        numeric(at - 1, column) ? entry.padStart(widths[column]) : entry.padEnd(widths[column]),
      )
      .join("  ")
      .trimEnd(),
  );
  if (gapAt >= 0) text.splice(gapAt + 1, 0, "…");
  return [...text, ...(size ? [size] : [])].join("\n");
}

function entryText(value: unknown): string {
  if (value === undefined) return "";
  const text =
    typeof value === "string" ? value : inspect(value, { breakLength: Number.POSITIVE_INFINITY, depth: 1 });
  const line = text.replace(/\s+/g, " ");
  return line.length > longestEntry ? `${line.slice(0, longestEntry - 1)}…` : line;
}

function isRecord(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
