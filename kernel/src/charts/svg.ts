import type { EChartsCoreOption } from "echarts";
import { escapeMarkup } from "../host/escapeMarkup";
import { type Chart, type ChartPanel, palette } from "./chart";

const width = 760;
const panelHeight = 210;
const lineHeight = 17;
const bottom = 84;
const gap = 44;

/** Figures of a magnitude that a person reads at a glance. */
export const shortNumber = (value: number): string => String(Number(value.toPrecision(3)));

const axisLabel = { color: "#333", formatter: shortNumber };

/** The chart as a static SVG on white, for pages that cannot run plotly. */
export function toSvg(chart: Chart): string {
  // Loaded on first use: a kernel must not pay for charts that nobody draws.
  const echarts = require("echarts") as typeof import("echarts");
  const top = 56 + lineHeight * chart.subtitle.split("\n").length;
  const height = top + chart.panels.length * (panelHeight + gap) - gap + bottom;
  const panels = chart.panels.map((panel, p) => ({ panel, from: top + p * (panelHeight + gap) }));
  const last = panels.length - 1;
  const rotate = chart.categories.join("").length > 90 ? 40 : 0;
  const option: EChartsCoreOption = {
    animation: false,
    backgroundColor: "#ffffff",
    color: palette,
    textStyle: { fontFamily: "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif" },
    title: {
      text: chart.title,
      subtext: chart.subtitle,
      left: 16,
      top: 10,
      textStyle: { fontSize: 16, color: "#222" },
      subtextStyle: { fontSize: 12, color: "#555", lineHeight },
    },
    legend: { bottom: 8, left: 16, right: 16, itemGap: 28, textStyle: { color: "#333" } },
    grid: panels.map(({ from }) => ({ left: 74, right: 24, top: from, height: panelHeight })),
    xAxis: panels.map((_, p) => ({
      type: "category",
      gridIndex: p,
      data: chart.categories,
      axisLabel: { show: p === last, interval: 0, rotate, color: "#333" },
      axisTick: { show: false },
    })),
    yAxis: panels.map(({ panel }, p) => ({
      type: panel.scale === "log" ? "log" : "value",
      gridIndex: p,
      name: panel.axis,
      nameLocation: "middle",
      nameGap: 50,
      nameTextStyle: { color: "#333" },
      axisLabel,
      scale: panel.fromZero === false,
      ...axisRange(panel),
    })),
    series: panels.flatMap(({ panel }, p) =>
      panel.series.map((series, s) => ({
        type: series.kind,
        name: series.name,
        xAxisIndex: p,
        yAxisIndex: p,
        data: series.values,
        itemStyle: { color: palette[series.color % palette.length] },
        ...(series.kind === "line"
          ? { symbol: "circle", symbolSize: 7, lineStyle: { width: 2 } }
          : { barMaxWidth: 34 }),
        ...(panel.reference && s === 0 ? { markLine: referenceLine(panel.reference) } : {}),
      })),
    ),
  };
  const drawing = echarts.init(null, null, { renderer: "svg", ssr: true, width, height });
  try {
    drawing.setOption(option);
    return withTitle(withoutInteraction(drawing.renderToSVGString()), chart.title);
  } finally {
    drawing.dispose();
  }
}

/** Drops the hover styles and data attributes that only ECharts' own page script would use. */
const withoutInteraction = (svg: string): string =>
  svg
    .replace(/<style[\s\S]*?<\/style>\n?/g, "")
    .replace(/ (class="zr[^"]*"|ecmeta_\w+="[^"]*"|pointer-events="visible")/g, "");

/** Names the picture for those who do not see it. */
const withTitle = (svg: string, title: string): string =>
  svg.replace(
    /<svg ([^>]*)>/,
    (_, attributes) => `<svg role="img" ${attributes}>\n<title>${escapeMarkup(title)}</title>`,
  );

/** Room for the reference line above the values, and on a logarithmic axis for the smallest bar. */
function axisRange({ scale, series, reference }: ChartPanel): Record<string, unknown> {
  const values = series.flatMap((one) => one.values).filter((value) => value !== null);
  const positive = values.filter((value) => value > 0);
  if (scale === "log" && positive.length > 0) {
    const min = 10 ** Math.floor(Math.log10(Math.min(...positive)) - 0.1);
    return { min, startValue: min }; // bars begin at the axis' end
  }
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  if (!reference || reference.value <= highest) return {};
  return {
    max: reference.value + 0.06 * (reference.value - lowest),
    axisLabel: { ...axisLabel, showMaxLabel: false },
  };
}

function referenceLine({ name, value }: { name: string; value: number }): Record<string, unknown> {
  return {
    silent: true,
    symbol: "none",
    lineStyle: { color: "#666666", type: "dashed", width: 1.5 },
    label: { formatter: `${name} ${shortNumber(value)}`, position: "insideStartTop", color: "#444" },
    data: [{ yAxis: value }],
  };
}
