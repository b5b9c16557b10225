import type { EChartsCoreOption } from "echarts";
import { escapeMarkup } from "../host/escapeMarkup";
import { fontFamily, palette, sizes, whitePage } from "../report/figureStyle";
import { breakLines } from "../report/textFit";
import type { Chart } from "./chart";
import { type Labels, labelsOf, svgMargin, xAxis, yAxis } from "./svgAxes";
import { marks } from "./svgMarks";

const { text: ink, mutedText, background } = whitePage;
const legendHeight = 34;
const axisTitleHeight = 24;

/** The chart as a static SVG on white, for pages that cannot run plotly. */
export function toSvg(chart: Chart): string {
  // Loaded on first use: a kernel must not pay for charts that nobody draws.
  const echarts = require("echarts") as typeof import("echarts");
  const { title, remarks, labels } = fitted(chart);
  const headHeight = 14 + 20 * title.length + sizes.lineHeight * remarks.length;
  const top = headHeight + legendHeight + 8;
  const bottom = labels.height + (chart.x ? axisTitleHeight : 0);
  const height =
    top + chart.panels.length * (sizes.panel + sizes.panelGap) - sizes.panelGap + bottom + sizes.edge;
  const panels = chart.panels.map((panel, p) => ({ panel, from: top + p * (sizes.panel + sizes.panelGap) }));
  const option: EChartsCoreOption = {
    animation: false,
    backgroundColor: background,
    color: [...palette.light],
    textStyle: { fontFamily },
    title: {
      text: title.join("\n"),
      subtext: remarks.join("\n"),
      left: sizes.edge,
      top: 10,
      itemGap: 4,
      textStyle: { fontSize: sizes.title, lineHeight: 20, color: ink },
      subtextStyle: { fontSize: sizes.text, color: mutedText, lineHeight: sizes.lineHeight },
    },
    legend: {
      type: "plain",
      top: headHeight + 8,
      left: sizes.edge - 5,
      right: sizes.edge,
      itemGap: 24,
      itemWidth: 18,
      textStyle: { color: ink, fontSize: sizes.text },
      data: [...new Set(chart.panels.flatMap(({ series }) => series.map(({ name }) => name)))],
    },
    grid: panels.map(({ from }) => ({ ...svgMargin, top: from, height: sizes.panel })),
    xAxis: panels.map((_, p) => xAxis(chart, p, labels)),
    yAxis: panels.map(({ panel }, p) => yAxis(panel, p)),
    series: panels.flatMap(({ panel }, p) => [
      ...panel.series.flatMap((series, s) => marks(chart, panel, series, p, s)),
    ]),
  };
  const drawing = echarts.init(null, null, { renderer: "svg", ssr: true, width: sizes.width, height });
  try {
    drawing.setOption(option);
    return withTitle(withoutInteraction(drawing.renderToSVGString()), chart.title);
  } finally {
    drawing.dispose();
  }
}

/** Title and remarks broken into lines of the figure's width, and the categories' labels. */
function fitted(chart: Chart): { title: string[]; remarks: string[]; labels: Labels } {
  const width = sizes.width - 2 * sizes.edge;
  const title = breakLines(chart.title, width * (sizes.text / sizes.title));
  const remarks = chart.subtitle.split("\n").flatMap((line) => breakLines(line, width));
  return { title, remarks, labels: labelsOf(chart) };
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
