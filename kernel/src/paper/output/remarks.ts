import type { FilledTable } from "./filledTable";
import { findingsOf, findingText } from "./findings";

/** What a table says, and what it does not. */
export const meaningOf = ({ spec }: FilledTable): string[] => [
  `What it shows: ${spec.shows}`,
  `What it does not show: ${spec.doesNotShow}`,
];

/** What the marks of places without a figure stand for. */
export const reasonsOf = ({ reasons }: FilledTable): string[] =>
  reasons.map((reason, at) => `[${at + 1}] not run: ${reason}`);

/** What is to be read below a table, a paragraph each. */
export const remarksOf = (filled: FilledTable): string[] => [
  ...meaningOf(filled),
  ...findingsOf(filled).map((finding) => `Expected: ${findingText(finding)}`),
  ...reasonsOf(filled),
  ...filled.origin,
];
