import { type Chart, palette } from "./chart";

/** A plotly figure: MIME type application/vnd.plotly.v1+json. */
export interface PlotlyFigure {
  data: Record<string, unknown>[];
  layout: Record<string, unknown>;
}

const gap = 0.1;

/** The chart as plotly JSON; colours of text and grid are left to whoever draws it. */
export function toPlotly(chart: Chart): PlotlyFigure {
  const count = chart.panels.length;
  const height = (1 - gap * (count - 1)) / count;
  const named = new Set<string>();
  const layout: Record<string, unknown> = {
    title: {
      text: [chart.title, ...chart.subtitle.split("\n").map((line) => `<sub>${line}</sub>`)].join("<br>"),
    },
    barmode: "group",
    height: 120 + 260 * count,
    margin: { t: 90, l: 70, r: 30, b: 60 },
    legend: { orientation: "h", y: -0.18 / count },
    xaxis: { type: "category", anchor: count > 1 ? `y${count}` : "y", automargin: true },
    shapes: [],
  };
  const data = chart.panels.flatMap((panel, p) => {
    const axis = p === 0 ? "y" : `y${p + 1}`;
    const top = 1 - p * (height + gap);
    layout[p === 0 ? "yaxis" : `yaxis${p + 1}`] = {
      title: { text: panel.axis },
      type: panel.scale ?? "linear",
      ...(panel.scale === "log" || panel.fromZero === false ? {} : { rangemode: "tozero" }),
      domain: [Math.max(0, top - height), top],
      automargin: true,
    };
    const reference = panel.reference && {
      name: panel.reference.name,
      kind: "line" as const,
      values: chart.categories.map(() => panel.reference!.value),
      color: palette.length - 1,
      dashed: true,
    };
    return [...panel.series, ...(reference ? [reference] : [])].map((series) => {
      const showlegend = !named.has(series.name);
      named.add(series.name);
      const color = palette[series.color % palette.length];
      return {
        type: series.kind === "bar" ? "bar" : "scatter",
        ...(series.kind === "line" ? { mode: "dashed" in series ? "lines" : "lines+markers" } : {}),
        name: series.name,
        ...("part" in series ? { hovertemplate: `%{x}<br>${series.part} %{y:.4g}` } : {}),
        legendgroup: series.name,
        showlegend,
        x: chart.categories.map((name) => name.replaceAll("\n", "<br>")),
        y: series.values,
        xaxis: "x",
        yaxis: axis,
        marker: { color },
        line: { color, ...("dashed" in series ? { dash: "dash" } : {}) },
      };
    });
  });
  return { data, layout };
}
