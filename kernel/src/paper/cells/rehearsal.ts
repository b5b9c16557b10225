import type { Cell, CellOf, MeasuredCell } from "./cell";
import { kindOf } from "./index";
import type { Kind } from "./kind";

/** The cell that stands for another one in a rehearsal. */
export function rehearsalOf(of: MeasuredCell, steps: number, pace: number): CellOf<"rehearsal"> {
  return { kind: "rehearsal", of, steps, pace };
}

/**
 * Takes as many steps as it says, with a checkpoint behind each, and gives numbers that follow from what it stands for:
 * so a whole night's plan can be tried on an engine or a cluster in a minute. Its figures measure nothing.
 */
export const rehearsal: Kind<"rehearsal"> = {
  needs: ({ of, steps, pace }) =>
    kindOf(of)
      .needs(of)
      .filter((cell): cell is Exclude<Cell, { kind: "rehearsal" }> => cell.kind !== "rehearsal")
      .map((cell) => rehearsalOf(cell, steps, pace)),
  title: ({ of }) => `rehearsal of ${kindOf(of).title(of)}`,
  effort: ({ steps, pace }) => 0.3 + (steps * pace) / 1000,
  keeps: false,
  isLight: false,
  isAlone: false,
};
