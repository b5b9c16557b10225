import type { Chart } from "../../charts/chart";
import { Table } from "../../charts/table";
import { type FilledTable, marked } from "./filledTable";
import { findingsOf } from "./findings";
import { remarksOf } from "./remarks";

/** As text for a terminal and as a table of a notebook. */
export function toTable(filled: FilledTable): Table {
  const { spec, rows } = filled;
  const columns = spec.columns.map(({ title }, at) => ({
    title,
    align: at === 0 ? ("left" as const) : ("right" as const),
  }));
  return new Table(
    columns,
    rows.map((row) => row.map(marked)),
    spec.title,
  );
}

/** The same with what is to be read below it. */
export const toText = (filled: FilledTable): string =>
  [toTable(filled).toString(), "", ...remarksOf(filled)].join("\n");

const markdownText = (text: string): string => text.replace(/[|\\`*_<>]/g, "\\$&");

export function toMarkdown(filled: FilledTable): string {
  const { spec, rows } = filled;
  const line = (cells: readonly string[]) => `| ${cells.map(markdownText).join(" | ")} |`;
  return [
    `## ${markdownText(spec.title)}`,
    "",
    line(spec.columns.map(({ title }) => title)),
    `|${spec.columns.map((_, at) => (at === 0 ? "---" : "--:")).join("|")}|`,
    ...rows.map((row) => line(row.map(marked))),
    "",
    ...remarksOf(filled).map((remark) => `* ${markdownText(remark)}`),
    "",
  ].join("\n");
}

const csvText = (text: string): string => (/[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Numbers in full, whole and undivided; "not run" with its reason. */
export function toCsv({ spec, rows, reasons }: FilledTable): string {
  const lines = rows.map((row) =>
    row.map(({ kind, value, text, reason }) => {
      if (kind === "notRun") return `not run: ${reasons[reason! - 1]}`;
      if (kind === "none") return "";
      return value === null ? text : String(value);
    }),
  );
  return [spec.columns.map(({ title }) => title), ...lines]
    .map((line) => `${line.map(csvText).join(",")}\r\n`)
    .join("");
}

export function toJson(filled: FilledTable): string {
  const { spec, rows, reasons, origin } = filled;
  const { id, title, columns, shows, doesNotShow } = spec;
  const cells = rows.map((row) =>
    row.map(({ kind, text, value, deviation, keys, reason }) => ({
      kind,
      text,
      value,
      deviation,
      keys,
      reason: reason === undefined ? undefined : reasons[reason - 1],
    })),
  );
  const findings = findingsOf(filled).map(({ statement, verdict, claim, why }) => ({
    statement,
    verdict,
    margin: claim?.margin,
    noise: claim?.noise,
    unit: claim?.unit,
    why: why ?? undefined,
  }));
  const names = columns.map((column) => column.title);
  return `${JSON.stringify({ id, title, columns: names, rows: cells, shows, doesNotShow, findings, origin }, null, 1)}\n`;
}

/** The table's chart; null where it has none, or nothing to show yet. */
export function toChart({ spec, rows }: FilledTable): Chart | null {
  const { chart, columns, title } = spec;
  if (!chart) return null;
  const series = chart.columns
    .map((column, color) => ({
      name: columns[column].title,
      kind: chart.kind,
      color,
      values: rows.map((row) => {
        const { value } = row[column];
        return value === null ? null : value / (columns[column].divisor ?? 1);
      }),
    }))
    .filter(({ values }) => values.some((value) => value !== null));
  if (series.length === 0) return null;
  return {
    title,
    subtitle: "",
    categories: rows.map((row) =>
      row
        .slice(0, columns[1].title === "threads" || columns[1].title === "K" ? 2 : 1)
        .map(({ text }) => text)
        .join(", "),
    ),
    categoryName: columns[0].title,
    panels: [{ axis: chart.axis, scale: chart.scale, fromZero: chart.fromZero, series }],
  };
}
