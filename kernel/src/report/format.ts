// Numbers and names as figures and tables write them, wherever they are drawn. Imports nothing.

/** Three significant digits, without zeros that say nothing: what a person reads at a glance. */
export const shortNumber = (value: number): string => String(Number(value.toPrecision(3)));

/** Decimals with which a number has three significant digits, at most eight; none from 100 on. */
export const decimalsOf = (value: number): number =>
  value === 0 ? 0 : Math.min(8, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value)))));

/** A number with its unit: "97.3 %", "12.4 µs", "0.31". */
export const withUnit = (number: string, unit: string): string => (unit ? `${number} ${unit}` : number);

/** The unit in an axis' title: "%" of "accuracy (%)", "µs" of "time (µs, logarithmic)"; "" where there is none. */
export const unitOf = (axis: string): string => /\(([^(),]+)(?:,[^()]*)?\)$/.exec(axis)?.[1].trim() ?? "";

/** An error with three significant digits; a dash where nothing was measured. */
export const formatError = (error: number | null | undefined): string =>
  typeof error === "number" ? error.toPrecision(3) : "–";

/** A value of the task metric with its unit and about four digits, all values of a report with the same decimals. */
export function formatMetric(value: number | null, metric: { dense: number; unit: string }): string {
  if (value === null) return "–";
  const integerDigits = Math.ceil(Math.log10(Math.abs(metric.dense) || 1));
  const decimals = Math.min(4, Math.max(0, 4 - integerDigits));
  return withUnit(value.toFixed(decimals), metric.unit);
}

/** For example "conv2d, K 16, V 9, C 64", or "conv2d, not replaced" for a layer that is dense everywhere. */
export function formatLayer(
  layer: { op: string; numCentroids: number; subvectorLength: number; numCodebooks: number },
  isReplaced: boolean,
): string {
  const { op, numCentroids, subvectorLength, numCodebooks } = layer;
  return isReplaced
    ? `${op}, K ${numCentroids}, V ${subvectorLength}, C ${numCodebooks}`
    : `${op}, not replaced`;
}

/** The two figures of an `OutputError`, as axes and switches call them. */
export const errorMeasures = {
  relative: "Relative squared error",
  unexplained: "1 − R²",
} as const;

/** What the marks of an error figure are. */
export const errorMarks = { local: "this layer", accumulated: "accumulated", dense: "dense" } as const;

/**
 * Decimals that show the smallest of some numbers with two digits and the largest with three, at most six; none where
 * all are whole.
 */
export function equalDecimals(values: readonly number[]): number {
  const finite = values.filter((value) => Number.isFinite(value) && value !== 0).map(Math.abs);
  if (finite.length === 0 || finite.every(Number.isInteger)) return 0;
  const magnitude = (value: number) => Math.floor(Math.log10(value));
  const wanted = Math.max(2 - magnitude(Math.max(...finite)), 1 - magnitude(Math.min(...finite)));
  return Math.min(6, Math.max(0, wanted));
}
