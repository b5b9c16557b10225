import type { Measured } from "../store/cellResult";
import type { CellStore, CellWork } from "../store/cellStore";
import type { Cell, CellKind, CellOf } from "./cell";

/**
 * One kind of cell, as plans and reports know it. A new one is a file, its schema in `cell.ts`, its work in a file of that
 * name in `work/`, and a line in `index.ts` and in `works.ts`.
 */
export interface Kind<Of extends CellKind> {
  /** The cells that must be done before. */
  needs(cell: CellOf<Of>): Cell[];
  /** A few words for progress and reports. */
  title(cell: CellOf<Of>): string;
  /** About how long it takes, in seconds on two cores of 2025: for the time that is left. */
  effort(cell: CellOf<Of>): number;
  /** True where it keeps files that other cells start from. */
  keeps: boolean;
  /** True where it takes a second or two and no data: an engine on this machine does it in its own process. */
  isLight: boolean;
  /** True where nothing else may run beside it, as it takes times. */
  isAlone: boolean;
}

/** What a cell's work has beside its place: the store, in which the cells that it needs are done. */
export interface CellRun extends CellWork {
  store: CellStore;
}

/** How a kind of cell is done. */
export interface Work<Of extends CellKind> {
  /** Why it cannot be done on this machine, as a sentence; null where it can. */
  whyNot(cell: CellOf<Of>): string | null;
  run(cell: CellOf<Of>, place: CellRun): Promise<Measured>;
}
