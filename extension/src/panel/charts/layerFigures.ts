import type { ColorScale, Data } from "plotly.js";
import type { LayerDetail } from "../../../../kernel/src/report/conversionMessages";
import type { Figure } from "../../plot";
import type { Theme } from "../../theme";
import type { Words } from "../view/words";
import { chartAxis, chartFrame } from "./chartFrame";

/** Places (codebook, centroid) of centroids that no row used. */
export const deadCentroids = ({ codebooks }: LayerDetail): [number, number][] =>
  codebooks.flatMap(({ counts }, codebook) =>
    counts.flatMap((count, centroid): [number, number][] => (count === 0 ? [[codebook, centroid]] : [])),
  );

/** From the page's colour to the series' colour: dark cells are used much. */
const scaleOf = (theme: Theme): ColorScale => [
  [0, theme.background],
  [1, theme.series[0]],
];

const useHeight = (numCentroids: number): number => Math.min(260, Math.max(110, 10 * numCentroids));

/**
 * How often each centroid of each codebook is used (a share of the rows; dead ones are crossed), and below it the error of
 * each codebook.
 */
export function codebookFigure(detail: LayerDetail, width: number, theme: Theme, words: Words): Figure {
  const { codebooks, rows } = detail;
  const numCentroids = Math.max(1, ...codebooks.map(({ counts }) => counts.length));
  const dead = deadCentroids(detail);
  const share = (codebook: number, centroid: number) =>
    (100 * (codebooks[codebook].counts[centroid] ?? 0)) / Math.max(1, rows);
  const x = [...codebooks.keys()];
  const use: Data = {
    type: "heatmap",
    x,
    y: [...Array(numCentroids).keys()],
    z: [...Array(numCentroids).keys()].map((centroid) => x.map((codebook) => share(codebook, centroid))),
    zmin: 0,
    colorscale: scaleOf(theme),
    showscale: false,
    xgap: codebooks.length <= width / 12 ? 1 : 0,
    ygap: 1,
    hovertemplate: `${words.__("codebook")} %{x}, ${words.__("centroid")} %{y}<br>%{z:.3g} % ${words.__("of the rows")}<extra></extra>`,
  };
  const crosses: Data = {
    type: "scatter",
    mode: "markers",
    x: dead.map(([codebook]) => codebook),
    y: dead.map(([, centroid]) => centroid),
    marker: { symbol: "x-thin", size: 6, line: { width: 1.5, color: theme.series[1] } },
    hoverinfo: "skip",
  };
  const errors: Data = {
    type: "bar",
    x,
    y: codebooks.map(({ error }) => error),
    yaxis: "y2",
    marker: { color: `${theme.series[0]}b0` },
    hovertemplate: `${words.__("codebook")} %{x}<br>${words.__("error")} %{y:.3g}<extra></extra>`,
  };
  const top = useHeight(numCentroids);
  const plot = top + 34 + 90;
  return {
    data: [use, crosses, errors],
    layout: {
      ...chartFrame(theme, width, plot + 54),
      hovermode: "closest",
      bargap: 0.15,
      xaxis: chartAxis(theme, words.__("codebook"), {
        anchor: "y2",
        range: [-0.5, codebooks.length - 0.5],
        showgrid: false,
        zeroline: false,
      }),
      yaxis: chartAxis(theme, words.__("centroid"), {
        domain: [1 - top / plot, 1],
        range: [-0.5, numCentroids - 0.5],
        showgrid: false,
        zeroline: false,
      }),
      yaxis2: chartAxis(theme, words.__("error"), { domain: [0, 90 / plot], rangemode: "tozero", nticks: 3 }),
    },
  };
}

/** The histogram of a layer's inputs; below it, a stroke wherever a centroid has a value. */
export function inputFigure(detail: LayerDetail, width: number, theme: Theme, words: Words): Figure {
  const { edges, counts } = detail.inputs;
  const centres = counts.map((_, at) => (edges[at] + edges[at + 1]) / 2);
  const widths = counts.map((_, at) => edges[at + 1] - edges[at]);
  const total = counts.reduce((sum, count) => sum + count, 0) || 1;
  const inputs: Data = {
    type: "bar",
    x: centres,
    y: counts.map((count) => (100 * count) / total),
    width: widths,
    marker: { color: `${theme.series[0]}90` },
    hovertemplate: `${words.__("inputs at")} %{x:.3g}<br>%{y:.3g} %<extra></extra>`,
  };
  const centroids: Data = {
    type: "scatter",
    mode: "markers",
    x: detail.centroidValues,
    y: detail.centroidValues.map(() => 0),
    yaxis: "y2",
    marker: { symbol: "line-ns", size: 12, line: { width: 1, color: `${theme.series[1]}a0` } },
    hovertemplate: `${words.__("centroid value")} %{x:.3g}<extra></extra>`,
  };
  return {
    data: [inputs, centroids],
    layout: {
      ...chartFrame(theme, width, 200),
      hovermode: "closest",
      bargap: 0,
      xaxis: chartAxis(theme, words.__("value"), { anchor: "y2", zeroline: false }),
      yaxis: chartAxis(theme, words.__("inputs (%)"), { domain: [0.16, 1], rangemode: "tozero" }),
      yaxis2: { domain: [0, 0.12], range: [-1, 1], visible: false, fixedrange: true },
    },
  };
}
