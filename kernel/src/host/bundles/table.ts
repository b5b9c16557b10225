import { inspect, types } from "node:util";
import type { MimeBundle } from "../host";
import { cutText, inspectValue } from "../inspectValue";
import { gridBundle } from "./grid";

/** Rows and columns that are shown; of more rows, the first and the last. */
const mostRows = 40;
const mostColumns = 30;
/** Characters of one entry. */
const longestEntry = 80;
/** Characters of a value that its entry is made from: white space in it becomes less. */
const longestRead = 1000;
/** Rows at either end of an array that must be records, and rows that columns are taken from. */
const mostLookedAt = 10_000;
const rowsForColumns = 1000;
/** Records with more columns are no table. */
const widest = 10_000;

type Row = Record<string, unknown>;

/** An array of plain objects as a table, one column per key; null for other arrays, and for those with holes. */
export function recordsBundle(values: readonly unknown[]): MimeBundle | null {
  if (values.length === 0 || !endsAreRecords(values)) return null;
  const columns = columnsOf(values.slice(0, rowsForColumns) as Row[]);
  if (columns.length === 0 || columns.length > widest) return null;
  const rowAt = (row: number) => columns.map((column) => entryOf(values[row], column));
  return tableBundle(columns, values.length, rowAt);
}

/** A Map as a table of keys and values. */
export function mapBundle(map: ReadonlyMap<unknown, unknown>): MimeBundle {
  const half = mostRows / 2;
  const first: [unknown, unknown][] = [];
  /** The newest of the others, in a ring. */
  const last: [unknown, unknown][] = [];
  let count = 0;
  for (const entry of map) {
    if (count < half) first.push(entry);
    else last[(count - half) % half] = entry;
    count++;
  }
  const rowAt = (row: number) => (row < half ? first[row] : last[(row - half) % half]);
  return { ...tableBundle(["key", "value"], count, rowAt), "text/plain": inspectValue(map) };
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
  const titles = columns.slice(0, mostColumns).map((column) => cutText(column, longestEntry));
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
    titles: ["row", ...titles],
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
    typeof value === "string"
      ? value.slice(0, longestRead)
      : inspectValue(value, { breakLength: Number.POSITIVE_INFINITY, depth: 1 });
  const line = text.slice(0, longestRead).replace(/\s+/g, " ");
  return line.length > longestEntry ? `${line.slice(0, longestEntry - 1)}…` : line;
}

/** Every element, or in a long array the first and last ones, is a record. */
function endsAreRecords(values: readonly unknown[]): boolean {
  for (let index = 0; index < values.length; index++) {
    if (!isRecord(values[index])) return false;
    if (index === mostLookedAt) index = Math.max(index, values.length - mostLookedAt);
  }
  return true;
}

function columnsOf(rows: readonly Row[]): string[] {
  const columns = new Set<string>();
  for (const row of rows) {
    for (const column of Object.keys(row)) columns.add(column);
    if (columns.size > widest) break;
  }
  return [...columns];
}

/** As `inspect` does, a getter is not run. */
const getter = { [inspect.custom]: () => "[Getter]" };

function entryOf(row: unknown, column: string): unknown {
  const property = isRecord(row) ? Object.getOwnPropertyDescriptor(row, column) : undefined;
  return property?.get ? getter : property?.value;
}

function isRecord(value: unknown): value is Row {
  if (typeof value !== "object" || value === null || Array.isArray(value) || types.isProxy(value))
    return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
