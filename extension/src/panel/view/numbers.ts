// Numbers as the panel writes them. Imports nothing that a page would have to load.
import type { PanelMetric } from "../../../../kernel/src/report/conversionMessages";
import { formatError, formatMetric, shortNumber, withUnit } from "../../../../kernel/src/report/format";

/** Four significant digits at most, with the SI letter of thousands: "1.23 M". */
export function operationsText(value: number): string {
  for (const [size, letter] of [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const)
    if (value >= size) return `${shortNumber(value / size)} ${letter}`;
  return shortNumber(value);
}

export function bytesText(value: number): string {
  if (value >= 1024 ** 2) return `${shortNumber(value / 1024 ** 2)} MiB`;
  return value >= 1024 ? `${shortNumber(value / 1024)} KiB` : `${value} B`;
}

export function millisecondsText(value: number | null): string {
  if (value === null) return "–";
  return value < 0.1 ? `${shortNumber(value * 1000)} µs` : `${shortNumber(value)} ms`;
}

/** What it was, divided by what it is: "4.2×". */
export const timesText = (before: number, after: number): string =>
  after > 0 ? `${(before / after).toFixed(before / after >= 10 ? 0 : 1)}×` : "–";

export function metricText(value: number | null, { dense, unit }: PanelMetric): string {
  if (value === null) return "–";
  return dense === null ? withUnit(shortNumber(value), unit) : formatMetric(value, { dense, unit });
}

/** A loss with its sign turned to what the metric does: "−1.24", "+0.31". */
export function changeText(loss: number | null, { dense, unit, higherIsBetter }: PanelMetric): string {
  if (loss === null || dense === null) return "";
  const change = higherIsBetter ? -loss : loss;
  const text = formatMetric(Math.abs(change), { dense, unit: "" });
  if (Number(text) === 0) return "±0";
  return `${change < 0 ? "−" : "+"}${unit === "%" ? text : withUnit(text, unit)}`;
}

export const errorText = formatError;

/** "1 min 20 s", "3 h 5 min" */
export function durationText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes} min ${whole % 60} s`
    : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** "8×8×1" */
export const shapeText = (shape: readonly number[]): string => shape.join("×");
