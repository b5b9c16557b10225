import type { FilledTable } from "./filledTable";
import { findingsOf, findingText } from "./findings";

/** What is to be read below a table, a paragraph each. */
export const remarksOf = (filled: FilledTable): string[] => [
  `What it shows: ${filled.spec.shows}`,
  `What it does not show: ${filled.spec.doesNotShow}`,
  ...findingsOf(filled).map((finding) => `Expected: ${findingText(finding)}`),
  ...filled.reasons.map((reason, at) => `[${at + 1}] not run: ${reason}`),
  ...filled.origin,
];
