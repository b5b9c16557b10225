import { Claim, type Verdict } from "../../charts/claim";
import { Table } from "../../charts/table";
import type { Expectation, Place } from "../tables/expectation";
import type { FilledTable } from "./filledTable";

/** What a table's figures say of one expectation. */
export interface Finding {
  statement: string;
  /** `not run` where a place that it is of is empty. */
  verdict: Verdict | "not run";
  /** The claim with its margin and noise; null where it was not run. */
  claim: Claim | null;
  /** Why it was not run, or null. */
  why: string | null;
  /** The number of that reason below the table, from 1; null where it has none. */
  reason: number | null;
}

/** The verdict on each expectation of a table, in order; nothing is concluded from what was not run, nor from published figures. */
export const findingsOf = (filled: FilledTable): Finding[] =>
  (filled.spec.expected ?? []).map((one) => findingOf(filled, one));

function findingOf({ rows, reasons }: FilledTable, expectation: Expectation): Finding {
  const { statement, more, less, by = 0, unit, runToRun = 0 } = expectation;
  const placeOf = ({ row, column }: Place) => rows[row][column];
  const places = typeof less === "number" ? [placeOf(more)] : [placeOf(more), placeOf(less)];
  const empty = places.find(({ kind }) => kind !== "measured");
  if (empty) {
    const reason = empty.reason ?? null;
    const why = reason === null ? "there is no such figure" : reasons[reason - 1];
    return { statement, verdict: "not run", claim: null, why, reason };
  }
  const [above, below = less as number] = places.map(({ value }) => value!);
  const noise = Math.hypot(...places.map(({ noise, value }) => noise ?? runToRun * Math.abs(value!)));
  const claim = new Claim(statement, [above - below - by], { noise, unit });
  return { statement, verdict: claim.verdict, claim, why: null, reason: null };
}

/** A verdict with the mark of its reason: "not run [1]". */
const markedVerdict = ({ verdict, reason }: Finding): string =>
  reason === null ? verdict : `${verdict} [${reason}]`;

export const findingsTitle = "What was expected, and what was found";

/** What stands in `findingCells`. */
export const findingHeadings = ["expected", "margin", "noise (±)", "unit", "verdict"];

/** A finding's places below `findingHeadings`. */
export const findingCells = (finding: Finding): string[] => {
  const { statement, claim } = finding;
  const figures = claim ? [claim.margin.toFixed(2), claim.noise.toFixed(2), claim.unit] : ["", "", ""];
  return [statement, ...figures, markedVerdict(finding)];
};

/** Findings as a table of a notebook: each with its margin, its noise (see `Filled`) and its verdict. */
export const toFindingsTable = (findings: readonly Finding[]): Table =>
  new Table(findingHeadings, findings.map(findingCells), findingsTitle);

/** A finding as a sentence. */
export const findingText = (finding: Finding): string => {
  const { statement, claim, reason, why } = finding;
  if (claim) return claim.toString();
  return `${statement}: ${markedVerdict(finding)}${reason === null ? ` (${why})` : ""}`;
};
