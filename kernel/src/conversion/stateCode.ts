// The way to a state as TypeScript.

import { LutnnError } from "../errors";
import { nameOf } from "../host/nameOf";
import type { History, HistoryEntry } from "./history";
import { callCode, type VerbRecord } from "./record";

/** How a conversion came to be: by `convert`, or by `openConversion` with so many states. */
export interface Beginning {
  readonly record: VerbRecord;
  /** States that were there from the beginning. */
  readonly states: number;
}

/** The line that makes a state from its parent, or why there is none. */
export function lineOf(
  entry: HistoryEntry,
  beginning: Beginning,
  conversion: object,
): { code: string } | { unwritten: string } {
  if (entry.parent === null && entry.id < beginning.states && beginning.record.verb === "convert")
    return callCode(beginning.record, "lutnn");
  if (entry.made) return callCode(entry.made, nameOf(conversion) ?? "conversion");
  return {
    unwritten: `what made the state was not noted by the version that stored it`,
  };
}

/**
 * TypeScript that leads from a fresh conversion to a state, in a notebook in which the names are defined that this one has:
 * one line for each verb. The conversion gets the name of this one and the state's number. Throws LutnnError where a step
 * cannot be written, with the step.
 */
export function codeFor(history: History, beginning: Beginning, conversion: object, id: number): string {
  const path: HistoryEntry[] = [];
  for (let at: number | null = history.entry("code", id).id; at !== null; at = history.entries[at].parent)
    path.unshift(history.entries[at]);
  const known = path.filter((entry) => entry.id < beginning.states);
  const own = nameOf(conversion) ?? "conversion";
  const name = `${own.replace(/\W/g, "_")}State${id}`;
  const lines: string[] = [];
  const add = (what: string, made: { code: string } | { unwritten: string }, before = "") => {
    if ("unwritten" in made)
      throw new LutnnError(`code: state ${id} cannot be written as code: ${what}: ${made.unwritten}`);
    lines.push(`${before}${made.code};`);
  };
  const isOpened = beginning.record.verb !== "convert";
  add(
    isOpened ? "to open the conversion" : "to begin",
    callCode(beginning.record, "lutnn"),
    `const ${name} = ${isOpened ? "await " : ""}`,
  );
  if (isOpened) lines.push(`await ${name}.goTo(${known[known.length - 1].id});`);
  for (const entry of path.slice(known.length)) {
    const what = `state ${entry.id} (${entry.label})`;
    if (!entry.made) add(what, { unwritten: "what made it was not noted" });
    else add(what, callCode(entry.made, name), "await ");
  }
  return [...lines, `${name};`].join("\n");
}
