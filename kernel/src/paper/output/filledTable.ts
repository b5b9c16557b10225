import { keyOf } from "../../files/canonicalJson";
import type { Cell } from "../cells/cell";
import type { CellResult } from "../store/cellResult";
import { cellsOf, type Entry, type MeasuredEntry, type TableColumn, type TableSpec } from "../tables/table";

/** What stands in one place of a table that is filled. */
export interface Filled {
  kind: "measured" | "published" | "text" | "none" | "notRun";
  /** As it is shown, without a mark for its reason. */
  text: string;
  value: number | null;
  /** Of several seeds: the standard deviation over them. */
  deviation?: number;
  /**
   * What it may be off by: two standard errors of a metric's mean, of its seeds or of counting so many examples, whichever is
   * larger; of a median of times the range of the middle half of all runs; of a ratio what follows from both.
   */
  noise?: number;
  /** Keys of the cells that it is of. */
  keys?: string[];
  /** Of what was not run: the number of its reason, from 1. */
  reason?: number;
}

/** A table with everything that there is, and what each figure comes from. */
export interface FilledTable {
  spec: TableSpec;
  rows: Filled[][];
  /** Why figures are missing, in the order of their numbers. */
  reasons: string[];
  /** Machines, versions and seeds of all cells that are shown; sentences to be printed below the table. */
  origin: string[];
}

/** What is known of cells: results, and why there is none. */
export interface Known {
  result(cell: Cell): CellResult | null;
  reason(cell: Cell): string;
}

/** How the tables came about: scale and command. */
export interface Provenance {
  scale: string;
  command: string;
}

function shown(value: number, { decimals = 2, divisor = 1 }: TableColumn): string {
  const number = value / divisor;
  return decimals === 0 ? Math.round(number).toLocaleString("en") : number.toFixed(decimals);
}

type Looked = { value: number; deviation?: number; noise?: number; few?: string } | { why: string };

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A figure, and what it may be off by where that is known. */
type Uncertain = { value: number; noise?: number };

/** What the ratio of two figures may be off by; unknown where it is of one of them. */
const ratioNoise = (a: Uncertain, b: Uncertain): number | undefined =>
  a.noise === undefined || b.noise === undefined
    ? undefined
    : (a.value / b.value) * Math.hypot(a.noise / a.value, b.noise / b.value);

/** Of so many per cent of so many examples, in points. */
const standardErrorOf = (perCent: number, examples: number): number =>
  examples > 0 ? Math.sqrt((perCent * (100 - perCent)) / examples) : 0;

/** The mean over the seeds that are there, or why there is none. */
function look({ cells, figure, at, isCounted }: MeasuredEntry, known: Known): Looked {
  const values: number[] = [];
  const countingErrors: number[] = [];
  const timeSpreads: number[] = [];
  let why = "";
  for (const cell of cells) {
    const result = known.result(cell);
    if (!result) {
      why ||= known.reason(cell);
      continue;
    }
    const found = at === undefined ? result.figures[figure] : result.series[figure]?.[at];
    if (typeof found === "number") {
      values.push(found);
      if (isCounted) countingErrors.push(standardErrorOf(found, result.figures.examples ?? 0));
      else if (figure === "metric") countingErrors.push(result.figures.noise ?? 0);
      const spread = figure.endsWith("/medianMs")
        ? result.figures[figure.replace(/medianMs$/, "spreadMs")]
        : null;
      if (typeof spread === "number") timeSpreads.push(spread);
    } else {
      const [variant] = figure.split("/");
      why ||= result.notes[figure] ?? result.notes[variant] ?? `the cell measured no ${figure}`;
    }
  }
  if (values.length === 0) return { why };
  const value = mean(values);
  const squares = values.reduce((sum, one) => sum + (one - value) ** 2, 0);
  const deviation = values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : undefined;
  const root = Math.sqrt(values.length);
  const noise =
    figure === "metric"
      ? (2 * Math.max(deviation ?? 0, mean(countingErrors))) / root
      : timeSpreads.length > 0
        ? mean(timeSpreads)
        : undefined;
  return { value, deviation, noise, few: why ? `${values.length} of ${cells.length} seeds` : undefined };
}

/** Puts what is known into a table's places. */
export function fillTable(spec: TableSpec, known: Known, { scale, command }: Provenance): FilledTable {
  const reasons: string[] = [];
  const notRun = (why: string): Filled => {
    if (!reasons.includes(why)) reasons.push(why);
    return { kind: "notRun", text: "not run", value: null, reason: reasons.indexOf(why) + 1 };
  };
  const fill = (entry: Entry, column: TableColumn): Filled => {
    switch (entry.kind) {
      case "text":
        return { kind: "text", text: entry.text, value: null };
      case "none":
        return { kind: "none", text: "–", value: null };
      case "notRun":
        return notRun(entry.why);
      case "published":
        return { kind: "published", text: shown(entry.value, column), value: entry.value };
      case "ratio": {
        const parts: Uncertain[] = [];
        for (const one of [entry.of, ...entry.by]) {
          const found = look(one, known);
          if ("why" in found) return notRun(found.why);
          parts.push(found);
        }
        const [of, ...by] = parts;
        const least = by.reduce((a, b) => (b.value < a.value ? b : a));
        const value = of.value / least.value;
        return { kind: "measured", text: shown(value, column), value, noise: ratioNoise(of, least) };
      }
      case "measured": {
        const found = look(entry, known);
        if ("why" in found) return notRun(found.why);
        const { value, deviation, noise, few } = found;
        const spread = deviation === undefined ? "" : ` ± ${shown(deviation, column)}`;
        const text = `${shown(value, column)}${spread}${few ? ` (${few})` : ""}`;
        const keys = entry.cells.map((cell) => keyOf(cell));
        const spreads = {
          ...(deviation === undefined ? {} : { deviation }),
          ...(noise === undefined ? {} : { noise }),
        };
        return { kind: "measured", text, value, ...spreads, keys };
      }
    }
  };
  const rows = spec.rows.map((row) => row.map((entry, at) => fill(entry, spec.columns[at])));
  return { spec, rows, reasons, origin: originOf(spec, known, scale, command) };
}

function originOf(spec: TableSpec, known: Known, scale: string, command: string): string[] {
  const results = cellsOf(spec).flatMap((cell) => known.result(cell) ?? []);
  const distinct = (values: readonly string[]) => [...new Set(values)].sort();
  const origins = results.map(({ provenance }) => provenance);
  const machines = distinct(origins.map(({ machine }) => machine));
  const versions = distinct(
    origins.map((one) =>
      Object.entries(one.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(", "),
    ),
  );
  const seeds = [...new Set(origins.flatMap((one) => one.seeds))].sort((a, b) => a - b);
  const baselines = distinct(results.flatMap(({ notes }) => notes.baselines ?? []));
  return [
    `Scale: ${scale}. Command: ${command}`,
    ...(results.length > 0
      ? [
          `Machine: ${machines.join("; ")}`,
          `Versions: ${versions.join("; ")}`,
          ...(baselines.length > 0 ? [`Engines: ${baselines.join("; ")}`] : []),
          `Seeds: ${seeds.length > 0 ? seeds.join(", ") : "none, nothing is random"}`,
        ]
      : ["Nothing of this table has been run."]),
  ];
}

/** A place's text with the mark of its reason: "not run [1]". */
export const marked = ({ text, reason }: Filled): string =>
  reason === undefined ? text : `${text} [${reason}]`;
