// The marks of a chart as ECharts has them.
import { greyColor, palette, sizes, whitePage } from "../report/figureStyle";
import { shortNumber, unitOf, withUnit } from "../report/format";
import { type Chart, type ChartPanel, type ChartSeries, drawnSpread, isNearEnd } from "./chart";

const { text: ink, mutedText } = whitePage;

/** The drawing of one series: its marks, its error bars, and on the first of a panel the reference line. */
export function marks(chart: Chart, panel: ChartPanel, series: ChartSeries, p: number, s: number): object[] {
  const color = palette.light[series.color % palette.light.length];
  const place = { xAxisIndex: p, yAxisIndex: p };
  const points = series.values.map((value, index) => (chart.x ? [series.at?.[index] ?? null, value] : value));
  const reference = panel.reference && s === 0 ? { markLine: referenceLine(panel, panel.reference) } : {};
  const styles = {
    bar: { type: "bar", barMaxWidth: sizes.widestBar },
    line: { type: "line", symbol: "circle", symbolSize: sizes.marker, lineStyle: { width: sizes.line } },
    trace: { type: "line", symbol: "none", lineStyle: { width: 1, opacity: 0.5 } },
    points: { type: "scatter", symbol: "diamond", symbolSize: sizes.marker + 5, z: 4 },
  };
  const drawn = {
    ...place,
    ...styles[series.kind],
    name: series.name,
    data: series.labels
      ? points.map((value, index) => ({ value, label: label(chart, series, index) }))
      : points,
    itemStyle: { color, opacity: 1 },
    ...reference,
  };
  return series.spread ? [drawn, errorBars(chart, panel, series, p)] : [drawn];
}

/** A name above its mark, on the side that has room. */
function label(chart: Chart, { at = [], labels = [] }: ChartSeries, index: number): object {
  const onTheLeft = chart.x && isNearEnd(chart, at[index]);
  const beside = { position: [onTheLeft ? 6 : 4, -14], align: onTheLeft ? "right" : "left" };
  return {
    show: Boolean(labels[index]),
    color: ink,
    fontSize: sizes.text,
    formatter: () => labels[index] ?? "",
    ...(chart.x ? beside : { position: "top" }),
  };
}

/** Lines from the lowest to the highest that a value may be, with a short stroke at both ends. */
function errorBars(chart: Chart, panel: ChartPanel, series: ChartSeries, p: number): object {
  const bars = panel.series.filter(({ kind }) => kind === "bar");
  const position = bars.indexOf(series);
  const data = series.values.flatMap((value, index) => {
    const range = series.spread?.[index];
    if (value === null || !range) return [];
    return [[chart.x ? (series.at?.[index] ?? 0) : index, ...drawnSpread(panel, value, range)]];
  });
  return {
    type: "custom",
    xAxisIndex: p,
    yAxisIndex: p,
    silent: true,
    z: 5,
    data,
    encode: { x: 0, y: [1, 2] }, // so that the axis reaches both ends
    renderItem: (_: unknown, api: ItemApi) => {
      const [x, low] = api.coord([api.value(0), api.value(1)]);
      const [, high] = api.coord([api.value(0), api.value(2)]);
      const isBeside = position >= 0 && !chart.x; // on a numeric axis bars with error bars stand alone
      const center = x + (isBeside ? barOffset(api, bars.length, position) : 0);
      const line = (x1: number, y1: number, x2: number, y2: number) => ({
        type: "line",
        shape: { x1, y1, x2, y2 },
        style: { stroke: ink, lineWidth: 1.5 },
      });
      const children = [
        line(center, low, center, high),
        line(center - 4, low, center + 4, low),
        line(center - 4, high, center + 4, high),
      ];
      return { type: "group", children };
    },
  };
}

interface ItemApi {
  value(dimension: number): number;
  coord(point: number[]): number[];
  barLayout(options: { count: number; barMaxWidth: number }): { offsetCenter: number }[];
}

/** Where the center of a bar lies beside its category's. */
const barOffset = (api: ItemApi, count: number, position: number): number =>
  api.barLayout({ count, barMaxWidth: sizes.widestBar })[position].offsetCenter;

function referenceLine(panel: ChartPanel, { name, value }: { name: string; value: number }): object {
  const text = `${name} ${withUnit(shortNumber(value), unitOf(panel.axis))}`;
  return {
    silent: true,
    symbol: "none",
    lineStyle: { color: palette.light[greyColor], type: "dashed", width: 1.5 },
    label: { formatter: () => text, position: "insideStartTop", color: mutedText },
    data: [{ yAxis: value }],
  };
}
