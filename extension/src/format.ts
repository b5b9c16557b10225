import type { ErrorAccumulationReport } from "../../kernel/src/report/errorAccumulation";

/** An error with three significant digits; a dash where nothing was measured. */
export function formatError(error: number | null | undefined): string {
  return typeof error === "number" ? error.toPrecision(3) : "–";
}

/** A value of the task metric with its unit and about four digits, all values of a report with the same decimals. */
export function formatMetric(value: number | null, metric: ErrorAccumulationReport["metric"]): string {
  if (value === null) return "–";
  const integerDigits = Math.ceil(Math.log10(Math.abs(metric.dense) || 1));
  const number = value.toFixed(Math.min(4, Math.max(0, 4 - integerDigits)));
  return metric.unit === "%" || metric.unit === "" ? number + metric.unit : `${number} ${metric.unit}`;
}

/** For example "conv2d, K 16, V 9, C 64", or "conv2d, not replaced" for a layer that is dense in every series. */
export function formatLayer({ layers, series }: ErrorAccumulationReport, index: number): string {
  const { op, numCentroids, subvectorLength, numCodebooks } = layers[index];
  if (series.every(({ errors }) => errors[index].state === "dense")) return `${op}, not replaced`;
  return `${op}, K ${numCentroids}, V ${subvectorLength}, C ${numCodebooks}`;
}

/** Plotly reads some HTML in its texts; names from a report must not be read as such. */
export function escapeMarkup(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
