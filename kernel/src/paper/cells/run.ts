import { LutnnError } from "../../errors";
import { ownVersion } from "../../host/checkout";
import type { CellResult } from "../store/cellResult";
import type { CellStore, RunOptions } from "../store/cellStore";
import { describeMachine } from "../store/machine";
import type { Cell } from "./cell";
import { kindOf } from "./index";
import { workOf } from "./works";

/**
 * The result of a cell, whose needs must be done: as the store keeps it, or else by doing its work there. Throws LutnnError
 * where this machine cannot do it, before anything is begun.
 */
export async function runCell(cell: Cell, store: CellStore, options: RunOptions = {}): Promise<CellResult> {
  const { whyNot, run } = await workOf(cell);
  const kept = await store.result(cell);
  if (kept) return kept;
  const reason = whyNot(cell);
  if (reason !== null) throw new LutnnError(reason);
  // A rehearsal loads nothing whose version could matter.
  const origin = {
    machine: describeMachine(),
    versions: { lutnn: ownVersion(), node: process.versions.node },
  };
  return store.remember(cell, (place) => run(cell, { ...place, store }), {
    ...(cell.kind === "rehearsal" ? { origin } : {}),
    needs: kindOf(cell).needs(cell),
    ...options,
  });
}
