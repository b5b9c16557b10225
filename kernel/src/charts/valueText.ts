import { decimalsOf, unitOf, withUnit } from "../report/format";
import type { ChartPanel, ChartSeries } from "./chart";

/** A value of a series in words: a number of three digits, its unit, and what it may be off by; a dash for a gap. */
export function valueText(panel: ChartPanel, series: ChartSeries, index: number): string {
  const value = series.values[index];
  if (value === null || value === undefined) return "–";
  const unit = unitOf(panel.axis);
  const spread = series.spread?.[index];
  const decimals = decimalsOf(value);
  const range = spread ? ` (${spread.map((end) => end.toFixed(decimals)).join("–")})` : "";
  return withUnit(`${value.toFixed(decimals)}${range}`, unit);
}
