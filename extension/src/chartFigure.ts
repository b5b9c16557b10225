import type { Annotation, Data, Layout, LayoutAxis } from "plotly.js";
import { palette, sizes } from "../../kernel/src/report/figureStyle";
import { plotlyText } from "../../kernel/src/report/plotlyText";
import { breakLines, buttons, legendPlace, letterWidth } from "../../kernel/src/report/textFit";
import { type ChartTexts, chartReading } from "./chartReading";
import type { Figure } from "./plot";
import type { Theme } from "./theme";

// Pixels.
const valueLabels = 74;
const titleHeight = 20;
const legendRowHeight = 19;
const widestColumn = 40;
const slantedShare = 0.72;
const barShare = 0.76; // of the room of a category, at most

/** Bars that stand side by side. */
const barsPerPlace = (data: Data[]): number => Math.max(1, data.filter(({ type }) => type === "bar").length);

/**
 * A chart of this library (charts/plotly.ts, by its `layout.meta.lutnn`) as it is drawn at a width in a theme: title and
 * remarks broken into lines beside the buttons, the legend below them, colours of the theme, figures read below.
 */
export function chartFigure(figure: Figure, texts: ChartTexts, available: number, theme: Theme): Figure {
  const numeric = texts.at !== null;
  const most = Math.max(sizes.width, numeric ? 0 : widestColumn * texts.positions.length);
  const width = Math.min(available, most);
  const inner = width - 2 * sizes.edge;
  const title = breakLines(texts.title, ((inner - buttons.width) * sizes.text) / sizes.title);
  const remarks = texts.remarks.flatMap((line) => breakLines(line, inner));
  const head = sizes.edge / 2 + titleHeight * title.length + sizes.lineHeight * remarks.length;
  const { rows } = legendPlace(texts.legend, inner);
  const top = head + legendRowHeight * rows + 20;
  const room = (width - valueLabels - sizes.edge) / Math.max(1, texts.positions.length);
  const labels = numeric ? null : categoryLabels(texts, room);
  const left = Math.max(valueLabels, labels && labels.angle !== 0 ? labels.height - 12 - room / 2 : 0);
  const bottom = labels ? labels.height : 46;
  const count = texts.panels.length;
  const plot = count * sizes.panel + (count - 1) * sizes.panelGap;
  const height = top + plot + bottom;
  const layout: Partial<Layout> = {
    ...figure.layout,
    width,
    height,
    margin: { t: top, l: left, r: sizes.edge, b: bottom },
    title: undefined,
    annotations: [
      heading(
        title.map((line) => `<b>${plotlyText(line)}</b>`),
        left,
        top - 4,
        sizes.title,
        theme.text,
      ),
      heading(
        remarks.map(plotlyText),
        left,
        top - 8 - titleHeight * title.length,
        sizes.text,
        theme.mutedText,
      ),
    ],
    font: { family: theme.fontFamily, size: sizes.text, color: theme.text },
    paper_bgcolor: theme.background,
    plot_bgcolor: "rgba(128,128,128,0.06)",
    legend: {
      orientation: "h",
      xref: "container",
      x: (sizes.edge - 4) / width,
      yref: "container",
      y: 1 - (head + 6) / height,
      yanchor: "top",
      tracegroupgap: 0,
    },
    bargap: 1 - Math.min(barShare, (sizes.widestBar * barsPerPlace(figure.data)) / room),
    hovermode: "x",
    hoversubplots: "axis",
    hoverdistance: -1,
    modebar: { bgcolor: "rgba(0,0,0,0)", color: theme.mutedText, activecolor: theme.text },
    ...axes(figure.layout, texts, theme, labels),
  };
  const data = figure.data.map((trace) => themedTrace(trace, theme));
  return { data, layout, reading: chartReading(data, texts, theme) };
}

/** Lines at the left edge, so many pixels beside the plot and above it. */
function heading(
  lines: string[],
  left: number,
  above: number,
  size: number,
  color: string,
): Partial<Annotation> {
  return {
    text: lines.join("<br>"),
    x: 0,
    xref: "paper",
    xanchor: "left",
    xshift: sizes.edge - left,
    y: 1,
    yref: "paper",
    yanchor: "top",
    yshift: above,
    align: "left",
    showarrow: false,
    borderpad: 0,
    font: { size, color },
  };
}

interface Labels {
  texts: string[];
  angle: number;
  height: number;
}

/** The categories' names with their notes below, where they fit; slanted where the names alone do not. */
function categoryLabels({ positions, notes }: ChartTexts, room: number): Labels {
  const noted = positions.map((name, index) => [name, ...(notes[index] ?? "").split("\n")].filter(Boolean));
  const fits = (lines: string[][]) =>
    lines.every((parts) => parts.every((part) => part.length * letterWidth <= room));
  const broken = noted.map((lines) => lines.flatMap((line) => breakLines(line, room)));
  const lines = fits(broken) ? broken : positions.map((name) => [name]);
  const texts = lines.map((parts) => parts.map(plotlyText).join("<br>"));
  const most = Math.max(1, ...lines.map((parts) => parts.length));
  if (fits(lines)) return { texts, angle: 0, height: 20 + 16 * most };
  const longest = Math.max(...positions.map((name) => name.length)) * letterWidth;
  return { texts, angle: -45, height: 24 + slantedShare * longest };
}

function axes(
  { xaxis, ...layout }: Partial<Layout>,
  { panels, positions }: ChartTexts,
  theme: Theme,
  labels: Labels | null,
): Partial<Layout> {
  const lines: Partial<LayoutAxis> = {
    gridcolor: theme.grid,
    linecolor: theme.grid,
    zerolinecolor: theme.mutedText,
    tickfont: { color: theme.mutedText, size: sizes.small },
  };
  const titleOf = (axis: Partial<LayoutAxis> | undefined) => ({
    ...axis?.title,
    font: { size: sizes.text, color: theme.text },
    standoff: 8,
  });
  const across: Partial<LayoutAxis> = {
    ...xaxis,
    ...lines,
    title: titleOf(xaxis),
    automargin: false,
    showspikes: true,
    spikemode: "across",
    spikesnap: "hovered data",
    spikecolor: theme.mutedText,
    spikethickness: 1,
    spikedash: "dot",
    zeroline: false,
    ...(labels
      ? {
          range: [-0.5, positions.length - 0.5],
          tickmode: "array",
          tickvals: [...positions.keys()],
          ticktext: labels.texts,
          tickangle: labels.angle,
          tickfont: { color: theme.text, size: sizes.small },
        }
      : {}),
  };
  const values = panels.map((_, index) => {
    const name = index === 0 ? "yaxis" : `yaxis${index + 1}`;
    const own = layout[name as "yaxis"];
    return [name, { ...own, ...lines, title: titleOf(own), automargin: false }] as const;
  });
  return { xaxis: across, ...Object.fromEntries(values) };
}

/** A trace in the theme's colours, its figures read below the chart. */
function themedTrace(trace: Data, theme: Theme): Data {
  const recolored: unknown = JSON.parse(JSON.stringify(trace), (key, value) =>
    key === "color" && typeof value === "string" ? themeColor(value, theme) : value,
  );
  const { hovertemplate: _, ...rest } = recolored as Data & { hovertemplate?: string };
  const { hoverinfo = "none" } = rest as { hoverinfo?: "none" | "skip" };
  return { ...rest, hoverinfo } as Data;
}

function themeColor(color: string, theme: Theme): string {
  const index = palette.light.indexOf(color);
  return index < 0 ? theme.text : theme.series[index % theme.series.length];
}
