import { accumulation } from "./accumulation";
import type { Cell, CellKind } from "./cell";
import { count } from "./count";
import { dense } from "./dense";
import { files } from "./files";
import { inference } from "./inference";
import type { Kind } from "./kind";
import { lookup } from "./lookup";
import { maddness } from "./maddness";
import { operators } from "./operators";
import { rehearsal } from "./rehearsal";

/** The kinds of cells there are; a new one is a file, its schema in `cell.ts` and a line here. */
const kinds: { readonly [Name in CellKind]: Kind<Name> } = {
  accumulation,
  count,
  dense,
  files,
  inference,
  lookup,
  maddness,
  operators,
  rehearsal,
};

/** The kind of a cell, which takes cells of that kind alone. */
export const kindOf = (cell: Cell): Kind<CellKind> => kinds[cell.kind] as Kind<CellKind>;
