import type { ErrorAccumulationReport } from "../../kernel/src/report/errorAccumulation";
import { sizes } from "../../kernel/src/report/figureStyle";
import { errorMarks, errorMeasures, formatMetric } from "../../kernel/src/report/format";
import { plotlyText } from "../../kernel/src/report/plotlyText";
import { breakLines, legendPlace, letterWidth } from "../../kernel/src/report/textFit";
import type { ErrorFrame } from "./errorFigure";

const { widestBar } = sizes;
// Pixels.
const valueLabels = 48;
const straightLabels = 28;
const slantedRoom = 22; // of a slanted name, along the page
const edge = 16;
const gap = 26;
const lineHeight = 16;
const legendRowHeight = 19;
const errorHeight = 220;
const metricHeight = 120;
const errorShare = 0.58; // of the width, when the panels are side by side
const barShare = 0.76; // of the room of a layer, at most

export interface Panel {
  heading: string;
  /** Where it begins and ends, as fractions of the plot. */
  x: [number, number];
  y: [number, number];
}

/** The two panels of the error figure, and what is around them. Nothing depends on the values: none moves the rest. */
export interface ErrorPanels {
  error: Panel;
  metric: Panel;
  /** Pixels. */
  margin: { l: number; r: number; t: number; b: number };
  height: number;
  slantedLabels: boolean;
  /** Each layer in sight is named where this is 1, else every so many. */
  namedEvery: number;
  /** Where the legend begins, from the top: below the buttons where it would lie under them. */
  legendTop: number;
  /** The part of a layer's room that its bars leave free. */
  bargap: number;
}

export function errorPanels(report: ErrorAccumulationReport, frame: ErrorFrame): ErrorPanels {
  const { width, horizontal, labels } = frame;
  const { series } = report;
  const numLayers = labels.length;
  const inSight = frame.shown ? Math.ceil(frame.shown[1] - frame.shown[0]) : numLayers;
  const labelWidth = Math.max(4, ...labels.map((label) => label.length)) * letterWidth;
  const left = horizontal ? labelWidth + edge : leftOfColumns(labelWidth, width, numLayers);
  const plotWidth = width - left - edge;
  const errorWidth = horizontal ? errorShare * (plotWidth - gap) : plotWidth;
  const metricWidth = horizontal ? plotWidth - gap - errorWidth : plotWidth;
  const error = heading(errorPhrases(frame), errorWidth);
  const metric = heading(metricPhrases(report), metricWidth);
  const headHeight = lineHeight * Math.max(error.lines, metric.lines) + 8;

  const rowHeight = Math.max(22, 10 + 8 * series.length);
  const plotHeight = horizontal
    ? Math.max(150, numLayers * rowHeight)
    : errorHeight + gap + headHeight + metricHeight;
  const room = (horizontal ? plotHeight : plotWidth) / numLayers;
  const slantedLabels = !horizontal && labelWidth + letterWidth > room;
  const legend = legendPlace(
    series.map(({ name }) => name),
    width,
  );
  const margin = {
    l: left,
    r: edge,
    t: legend.top + legendRowHeight * legend.rows + 10 + headHeight,
    b: slantedLabels ? labelWidth * Math.SQRT1_2 + 20 : straightLabels,
  };
  return {
    error: {
      heading: error.text,
      x: [0, errorWidth / plotWidth],
      y: horizontal ? [0, 1] : [1 - errorHeight / plotHeight, 1],
    },
    metric: {
      heading: metric.text,
      x: [1 - metricWidth / plotWidth, 1],
      y: horizontal ? [0, 1] : [0, metricHeight / plotHeight],
    },
    margin,
    height: margin.t + plotHeight + margin.b,
    legendTop: legend.top,
    slantedLabels,
    namedEvery: frame.isDense ? Math.max(1, Math.ceil((inSight * slantedRoom) / plotWidth)) : 1,
    bargap: 1 - Math.min(barShare, (widestBar * series.length) / room),
  };
}

/** Room for the values, and for the first layer's name where it is slanted and reaches further to the left. */
function leftOfColumns(labelWidth: number, width: number, numLayers: number): number {
  const room = (width - valueLabels - edge) / numLayers;
  const isSlanted = labelWidth + letterWidth > room;
  return isSlanted ? Math.max(valueLabels, labelWidth * Math.SQRT1_2 + 12 - room / 2) : valueLabels;
}

function errorPhrases({ measure, isDense }: ErrorFrame): string[] {
  const line = isDense ? "━" : "●";
  return [errorMeasures[measure], `▮\u00a0${errorMarks.local}`, `${line}\u00a0${errorMarks.accumulated}`];
}

function metricPhrases({ metric }: ErrorAccumulationReport): string[] {
  const title = metric.unit ? `${metric.name}, ${metric.unit}` : metric.name;
  return [
    title.charAt(0).toUpperCase() + title.slice(1),
    `┅\u00a0${errorMarks.dense}: ${formatMetric(metric.dense, metric)}`,
  ];
}

/** A bold title and the key of the marks: in one line, or broken into lines where the panel is too narrow. */
function heading([title, ...key]: string[], width: number): { text: string; lines: number } {
  const oneLine = [title, ...key].join("   ").length * letterWidth <= width;
  const lines = (phrase: string) => (oneLine ? [phrase] : breakLines(phrase, width));
  const texts = [
    ...lines(title).map((text) => `<b>${plotlyText(text)}</b>`),
    ...key.flatMap(lines).map(plotlyText),
  ];
  return { text: texts.join(oneLine ? "&nbsp; &nbsp;" : "<br>"), lines: oneLine ? 1 : texts.length };
}
