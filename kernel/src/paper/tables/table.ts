import type { Cell } from "../cells/cell";
import type { Expectation } from "./expectation";

/** A figure of cells that differ in their seed alone: the mean over them. */
export interface MeasuredEntry {
  kind: "measured";
  cells: readonly Cell[];
  /** Name of the cells' figure, or with `at` of their series. */
  figure: string;
  at?: number;
  /** True of a per cent of the cell's `examples` in a series, whose standard error follows from counting them. */
  isCounted?: boolean;
}

/** What stands in one place of a table. Only `published` brings figures that we have not measured. */
export type Entry =
  | MeasuredEntry
  /** How many times the smallest of the others is in the first. */
  | { kind: "ratio"; of: MeasuredEntry; by: readonly MeasuredEntry[] }
  | { kind: "published"; value: number }
  | { kind: "text"; text: string }
  /** There is no such figure. */
  | { kind: "none" }
  /** There could be one, but nothing here measures it, for a reason. */
  | { kind: "notRun"; why: string };

export interface TableColumn {
  title: string;
  /** Of numbers: digits behind the point; whole numbers get a comma at every third digit. Default 2. */
  decimals?: number;
  /** Numbers are divided by it. Default 1. */
  divisor?: number;
}

/** A chart of some columns, a mark for each row. */
export interface TableChart {
  /** Title of the value axis, with the unit in brackets. */
  axis: string;
  scale?: "log";
  fromZero?: false;
  kind: "bar" | "line";
  /** Numbers of the columns that it shows. */
  columns: readonly number[];
}

/** One table of the paper, as data: which cells stand where, and what it says and does not say. */
export interface TableSpec {
  id: string;
  title: string;
  columns: readonly TableColumn[];
  rows: readonly (readonly Entry[])[];
  shows: string;
  doesNotShow: string;
  /** What it must show if the paper, or we, are right; each gets a verdict from what was measured. */
  expected?: readonly Expectation[];
  chart?: TableChart;
}

export const text = (value: string): Entry => ({ kind: "text", text: value });
export const published = (value: number): Entry => ({ kind: "published", value });
export const none: Entry = { kind: "none" };
export const leftOut: Entry = { kind: "notRun", why: "--quick leaves it out" };
export const measured = (cells: Cell | readonly Cell[], figure: string, at?: number): MeasuredEntry => ({
  kind: "measured",
  cells: "kind" in cells ? [cells] : cells,
  figure,
  ...(at === undefined ? {} : { at }),
});
export const ratio = (of: MeasuredEntry, ...by: MeasuredEntry[]): Entry => ({ kind: "ratio", of, by });

/** All cells of a table, each once, in order. */
export function cellsOf({ rows }: TableSpec): Cell[] {
  const found: Cell[] = [];
  for (const entry of rows.flat()) {
    if (entry.kind === "measured") found.push(...entry.cells);
    if (entry.kind === "ratio") for (const { cells } of [entry.of, ...entry.by]) found.push(...cells);
  }
  return found;
}
