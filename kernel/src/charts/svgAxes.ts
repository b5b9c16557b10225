// The axes of a chart as ECharts has them.
import { sizes, whitePage } from "../report/figureStyle";
import { shortNumber } from "../report/format";
import { letterWidth } from "../report/textFit";
import { type Chart, type ChartPanel, topForNames } from "./chart";

const { text: ink, mutedText, grid } = whitePage;

/** Pixels beside the plot. */
export const svgMargin = { left: 74, right: 24 };

export interface Labels {
  /** A category's name, and below it its note where there is room. */
  texts: string[];
  rotate: number;
  /** Pixels below the axis. */
  height: number;
}

export function labelsOf({ x, categories, notes = [] }: Chart): Labels {
  if (x) return { texts: [], rotate: 0, height: 26 };
  const room = (sizes.width - svgMargin.left - svgMargin.right) / categories.length;
  const lines = (texts: string[]) => texts.map((text) => text.split("\n"));
  const fits = (texts: string[]) =>
    lines(texts).every((parts) => parts.every((part) => part.length * letterWidth <= room));
  const noted = categories.map((name, index) => (notes[index] ? `${name}\n${notes[index]}` : name));
  const texts = fits(noted) ? noted : categories;
  const most = Math.max(1, ...lines(texts).map((parts) => parts.length));
  if (fits(texts)) return { texts, rotate: 0, height: 14 + 15 * most };
  const longest = Math.max(...lines(texts).flatMap((parts) => parts.map((part) => part.length)));
  return { texts, rotate: 40, height: 18 + 0.66 * longest * letterWidth + 15 * (most - 1) };
}

export function xAxis(chart: Chart, panel: number, { texts, rotate }: Labels): Record<string, unknown> {
  const isLast = panel === chart.panels.length - 1;
  const common = {
    gridIndex: panel,
    axisTick: { show: false },
    axisLine: { lineStyle: { color: mutedText } },
    axisLabel: { show: isLast, interval: 0, rotate, color: ink, fontSize: sizes.small, lineHeight: 15 },
  };
  if (!chart.x) return { ...common, type: "category", data: texts };
  return {
    ...common,
    type: "value",
    scale: true,
    ...(chart.x.whole ? { minInterval: 1 } : {}),
    ...numericRange(chart),
    name: isLast ? chart.x.title : "",
    nameLocation: "middle",
    nameGap: 28,
    nameTextStyle: { color: ink, fontSize: sizes.text },
    axisLabel: {
      ...common.axisLabel,
      interval: undefined,
      formatter: shortNumber,
      showMinLabel: false,
      showMaxLabel: false,
    },
    splitLine: { lineStyle: { color: grid } },
  };
}

/** A twentieth of room on both sides, so that no mark lies on the frame. */
function numericRange({ panels }: Chart): Record<string, unknown> {
  const all = panels.flatMap(({ series }) => series.flatMap(({ at = [] }) => at));
  const [lowest, highest] = [Math.min(...all), Math.max(...all)];
  const room = (highest - lowest || Math.abs(highest) || 1) / 20;
  return {
    min: lowest >= 0 ? Math.max(0, lowest - room) : lowest - room,
    max: highest + room,
  };
}

const axisLabel = { color: ink, fontSize: sizes.small, formatter: shortNumber };

export function yAxis(panel: ChartPanel, index: number): Record<string, unknown> {
  return {
    type: panel.scale === "log" ? "log" : "value",
    gridIndex: index,
    name: panel.axis,
    nameLocation: "middle",
    nameGap: 50,
    nameTextStyle: { color: ink, fontSize: sizes.text },
    axisLabel,
    splitLine: { lineStyle: { color: grid } },
    scale: panel.fromZero === false,
    ...axisRange(panel),
  };
}

/** Room for names above the values and the reference line, and on a logarithmic axis for the smallest bar. */
function axisRange(panel: ChartPanel): Record<string, unknown> {
  const { scale, series } = panel;
  const values = series.flatMap((one) => [
    ...one.values,
    ...(one.spread ?? []).flatMap((range) => range ?? []),
  ]);
  const known = values.filter((value) => value !== null);
  const positive = known.filter((value) => value > 0);
  if (scale === "log" && positive.length > 0) {
    const min = 10 ** Math.floor(Math.log10(Math.min(...positive)) - 0.1);
    return { min, startValue: min }; // bars begin at the axis' end
  }
  const max = topForNames(panel);
  return max === null ? {} : { max, axisLabel: { ...axisLabel, showMaxLabel: false } };
}
