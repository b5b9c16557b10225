import type { PanelCommandStatus } from "../../../../kernel/src/report/conversionMessages";
import { durationText } from "./numbers";
import type { Words } from "./words";

/** Where a command is, in words: "12 s left, 3 of 5 epochs". */
export function progressText({ progress }: PanelCommandStatus, words: Words): string {
  if (!progress) return words.__("begins");
  const { done, total, unit, etaSeconds } = progress;
  const count = (value: number) => (Math.round(value * 10) / 10).toLocaleString("en");
  const parts = [
    etaSeconds === null ? "" : words.__("%1 left", durationText(etaSeconds)),
    total > 0 ? words.__("%1 of %2 %3", count(done), count(total), unit) : progress.text,
  ];
  return parts.filter(Boolean).join(", ");
}
