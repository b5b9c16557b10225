import type { Cell, CellKind } from "./cell";
import type { Work } from "./kind";

/** The work of each kind, loaded when it is first asked for: most of them load TensorFlow. */
const works: { readonly [Name in CellKind]: () => Promise<{ work: Work<Name> }> } = {
  accumulation: () => import("./work/accumulation.js"),
  count: () => import("./work/count.js"),
  dense: () => import("./work/dense.js"),
  files: () => import("./work/files.js"),
  inference: () => import("./work/inference.js"),
  lookup: () => import("./work/lookup.js"),
  maddness: () => import("./work/maddness.js"),
  operators: () => import("./work/operators.js"),
  rehearsal: () => import("./work/rehearsal.js"),
};

/** How a cell is done, by functions that take cells of that kind alone. */
export const workOf = async (cell: Cell): Promise<Work<CellKind>> =>
  (await works[cell.kind]()).work as Work<CellKind>;
