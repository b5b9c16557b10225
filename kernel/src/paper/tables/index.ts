import { LutnnError } from "../../errors";
import type { Cell, MeasuredCell } from "../cells/cell";
import { rehearsalOf } from "../cells/rehearsal";
import { accuracy } from "./accuracy";
import type { TableChoices } from "./choices";
import { operations, sizes } from "./counting";
import { latency, memory, power } from "./inference";
import { operators } from "./operators";
import { sentences } from "./sentences";
import { layers, quantisation, temperature } from "./studies";
import type { Entry, MeasuredEntry, TableSpec } from "./table";

/** The tables there are, by name, in the order of the report; a new one is a function that gives its specification and a line here. */
const tables = {
  accuracy,
  glue: sentences,
  flops: operations,
  size: sizes,
  latency,
  operators,
  memory,
  power,
  temperature,
  quantisation,
  layers,
} satisfies Record<string, (choices: TableChoices) => TableSpec>;

export type TableName = keyof typeof tables;
export const tableNames = Object.keys(tables) as TableName[];

/** Steps of a rehearsed cell and milliseconds of each. */
const [steps, pace] = [4, 50];

/** The specification of a table. Throws LutnnError on another name. */
export function tableSpec(name: string, choices: TableChoices): TableSpec {
  if (!Object.hasOwn(tables, name))
    throw new LutnnError(
      `reproduce: the table must be one of ${tableNames.join(", ")}, or all (got ${JSON.stringify(name)})`,
    );
  const spec = tables[name as TableName](choices);
  return choices.scale === "rehearsal" ? rehearsed(spec) : spec;
}

/** The same table with cells that measure nothing. */
function rehearsed(spec: TableSpec): TableSpec {
  const cellOf = (cell: Cell) => rehearsalOf(cell as MeasuredCell, steps, pace);
  const entryOf = (entry: MeasuredEntry): MeasuredEntry => ({
    kind: "measured",
    cells: entry.cells.map(cellOf),
    figure: "metric",
  });
  const rows = spec.rows.map((row) =>
    row.map((entry): Entry => {
      if (entry.kind === "measured") return entryOf(entry);
      if (entry.kind === "ratio") return { kind: "ratio", of: entryOf(entry.of), by: entry.by.map(entryOf) };
      return entry;
    }),
  );
  return {
    ...spec,
    title: `REHEARSAL, nothing is measured: ${spec.title}`,
    rows,
    shows: "That every cell of this table is run once and arrives in its place. Its numbers measure nothing.",
    doesNotShow: "Any result.",
  };
}
