import type { PanelCommandStatus } from "../../../../kernel/src/report/conversionMessages";
import { durationText } from "./numbers";
import type { Words } from "./words";

/** Where a command is, in words: "3 of 5 epochs, 12 s left". */
export function progressText({ progress }: PanelCommandStatus, words: Words): string {
  if (!progress) return words.__("begins");
  const { done, total, unit, etaSeconds } = progress;
  const parts = [
    total > 0 ? words.__("%1 of %2 %3", Math.round(done * 10) / 10, total, unit) : progress.text,
    etaSeconds === null ? "" : words.__("%1 left", durationText(etaSeconds)),
  ];
  return parts.filter(Boolean).join(", ");
}
