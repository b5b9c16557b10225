import type { Data } from "plotly.js";
import { plainText } from "../../kernel/src/report/plotlyText";
import type { PointedAt, Reading, ReadoutRow } from "./readout";
import type { Theme } from "./theme";

/** The plain texts of a chart, as charts/plotly.ts puts them into `layout.meta.lutnn`. */
export interface ChartTexts {
  title: string;
  remarks: string[];
  legend: string[];
  /** Titles of the value axes. */
  panels: string[];
  /** Names of the places along the axis: the categories, or the numbers in words. */
  positions: string[];
  /** The numbers themselves; null for categories. */
  at: number[] | null;
  notes: string[];
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((text) => typeof text === "string");

/** Reads untrusted JSON: the texts of a chart of ours, or null where it is some other figure. */
export function chartTexts(layout: unknown): ChartTexts | null {
  const found: unknown = field(field(layout, "meta"), "lutnn");
  const { title, remarks, legend, panels, positions, at, notes } = (found ?? {}) as Partial<ChartTexts>;
  if (typeof title !== "string" || ![remarks, legend, panels, positions, notes].every(isTexts)) return null;
  if (at !== null && !(Array.isArray(at) && at.every((place) => typeof place === "number"))) return null;
  return found as ChartTexts;
}

const field = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;

interface ReadTrace {
  label: string;
  color: string;
  /** Number of its panel. */
  panel: number;
  values: string[];
  x: unknown[];
  isReference: boolean;
}

/** The figures at a place: a line for each series, a column for each panel. */
export function chartReading(data: Data[], texts: ChartTexts, theme: Theme): Reading {
  const traces = data.map((trace) => readTrace(trace, theme));
  const labels = [...new Set(traces.filter(({ isReference }) => !isReference).map(({ label }) => label))];
  return {
    lines: 1 + labels.length,
    first: lastPoints(traces, texts),
    at: (points) => {
      const drawn = points.filter(({ trace }) => !traces[trace].isReference);
      const place = placeOf(drawn[0] ?? points[0], traces, texts);
      const rows = labels.flatMap((label): ReadoutRow[] => {
        const color = traces.find((trace) => trace.label === label)?.color ?? theme.text;
        const values = texts.panels.map((_, panel) => valueIn(panel, label, drawn, traces));
        return values.every((value) => value === "–") ? [] : [{ color, name: label, values }];
      });
      return {
        title: texts.positions[place] ?? "",
        note: (texts.notes[place] ?? "").replaceAll("\n", ", "),
        columns: texts.panels.length > 1 ? texts.panels : [],
        rows,
      };
    },
  };
}

function readTrace(trace: Data, theme: Theme): ReadTrace {
  const {
    meta,
    name = "",
    customdata,
    x,
    yaxis = "y",
    hoverinfo,
    marker,
    line,
  } = trace as Record<string, unknown>;
  const color = field(marker, "color") ?? field(line, "color");
  return {
    label: plainText(String(meta ?? name)),
    color: typeof color === "string" ? color : theme.text,
    panel: Number(String(yaxis).slice(1) || 1) - 1,
    values: Array.isArray(customdata) ? customdata.map((text) => plainText(String(text))) : [],
    x: Array.isArray(x) ? x : [],
    isReference: hoverinfo === "skip",
  };
}

/** The points of the last place; along a numeric axis, those in its last twentieth. */
function lastPoints(traces: ReadTrace[], { at, positions }: ChartTexts): PointedAt[] | undefined {
  const places = at ?? [...positions.keys()];
  if (places.length === 0) return undefined;
  const [first, last] = [places[0], places[places.length - 1]];
  const least = last - (at ? 0.05 * (last - first) : 0);
  const points = traces.flatMap(({ x, isReference }, trace) => {
    if (isReference) return [];
    const where = at ? x.map(Number) : [...x.keys()];
    const point = where.indexOf(Math.max(...where));
    return where[point] >= least ? [{ trace, point, x: where[point] }] : [];
  });
  return points.sort((a, b) => b.x - a.x).map(({ trace, point }) => ({ trace, point }));
}

/** Which of the chart's places a point stands at. */
function placeOf({ trace, point }: PointedAt, traces: ReadTrace[], { at }: ChartTexts): number {
  return at ? at.indexOf(Number(traces[trace].x[point])) : point;
}

function valueIn(panel: number, label: string, points: PointedAt[], traces: ReadTrace[]): string {
  const found = points.find(({ trace }) => traces[trace].label === label && traces[trace].panel === panel);
  return found ? (traces[found.trace].values[found.point] ?? "–") : "–";
}
