import { inspect } from "node:util";
import type { MimeBundle } from "../host";
import { gridBundle } from "./grid";

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

/**
 * Numbered rows, the middle ones left out where there are many.
 * @param rowAt the entries of a row, of which only the ones that are shown are asked for
 */
export function tableBundle(
  columns: readonly string[],
  rowCount: number,
  rowAt: (row: number) => readonly unknown[],
  caption?: string,
): MimeBundle {
  const titles = columns.slice(0, mostColumns);
  const half = mostRows / 2;
  const isLong = rowCount > mostRows;
  const indices = isLong
    ? Array.from({ length: mostRows }, (_, at) => (at < half ? at : rowCount - mostRows + at))
    : [...Array(rowCount).keys()];
  const values = indices.map((index) => rowAt(index).slice(0, mostColumns));
  const rows = values.map((row, at) => [String(indices[at]), ...row.map(entryText)]);
  if (isLong) rows.splice(half, 0, ["…", ...titles.map(() => "…")]);
  const isCut = isLong || columns.length > mostColumns;
  return gridBundle({
    titles: ["", ...titles],
    alignments: [
      "right",
      ...titles.map((_, column) => (values.every((row) => isNumber(row[column])) ? "right" : "left")),
    ],
    rows,
    rowTitles: true,
    caption,
    note: isCut ? `${rowCount} rows × ${columns.length} columns` : undefined,
  });
}

/** Numbers stand on the right, and what is missing stands in nobody's way. */
const isNumber = (value: unknown) =>
  typeof value === "number" || typeof value === "bigint" || value === undefined || value === null;

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
