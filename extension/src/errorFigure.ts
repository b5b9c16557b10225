import type { ErrorAccumulationReport } from "../../kernel/src/report/errorAccumulation";
import type { errorMeasures } from "../../kernel/src/report/format";
import { shorten } from "../../kernel/src/report/textFit";
import { errorLayout } from "./errorLayout";
import { errorReading } from "./errorReading";
import { errorTraces } from "./errorTraces";
import type { Figure } from "./plot";
import type { Theme } from "./theme";

/** Which of the two figures of an `OutputError` is drawn. */
export type ErrorMeasure = keyof typeof errorMeasures;

export interface ErrorFigureOptions {
  measure: ErrorMeasure;
  /** Pixels. */
  width: number;
  theme: Theme;
  /** Numbers of the layers between which the reader has zoomed in; missing where all are in sight. */
  shown?: readonly [number, number];
}

/** What traces and layout agree on. */
export interface ErrorFrame extends ErrorFigureOptions {
  /** Layers go down the page instead of along it. */
  horizontal: boolean;
  /** So many layers that they are drawn as lines alone, one for each kind of figure, and some of them are named. */
  isDense: boolean;
  /** Names of the layers, shortened where they are long. */
  labels: string[];
}

const longestLabel = 20; // letters
// Pixels. With less room, layers go down the page; with more room for a layer, lines get too flat to read.
const narrowestVertical = 480;
const narrowestColumn = 22;
const widestColumn = 80;
const alwaysAllowed = 720;
/** More layers would be a page of many screens, and a mark each that plotly takes milliseconds to make. */
const mostMarked = 120;

/** Whether not every layer has its name at the chart. */
export const isOverview = ({ layers }: ErrorAccumulationReport): boolean => layers.length > mostMarked;

/**
 * Two panels over the same layers: the error (bars: of the layer alone; lines: accumulated) and the task metric
 * beside the dense network's. Of very many layers it is an overview along the page: areas for bars, lines without marks.
 */
export function errorFigure(report: ErrorAccumulationReport, options: ErrorFigureOptions): Figure {
  const numLayers = report.layers.length;
  const width = Math.min(options.width, Math.max(alwaysAllowed, widestColumn * numLayers));
  const isDense = isOverview(report);
  const horizontal = !isDense && width < Math.max(narrowestVertical, narrowestColumn * numLayers);
  const letters = horizontal ? Math.min(longestLabel, Math.floor(width / 20)) : longestLabel;
  const labels = report.layers.map(({ name }) => shorten(name, letters));
  const frame = { ...options, width, horizontal, isDense, labels };
  const data = errorTraces(report, frame);
  return { data, layout: errorLayout(report, frame), reading: errorReading(report, frame) };
}
