import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { paper, profiles } from "lutnn";
import { expect, it } from "vitest";
import type { Cell } from "../../../kernel/lib/paper/cells/cell.js";
import { runCell } from "../../../kernel/lib/paper/cells/run.js";
import { denseCell, temporary } from "./cells";

/** The instance that the library itself has: an import would be a copy, which no training tells anything. */
const { listenToProgress }: typeof import("../../../kernel/lib/host/progressListener") = createRequire(
  import.meta.url,
)("../../../kernel/lib/host/progressListener.js");

/** Share of a training that is done when it is interrupted. */
const interruptedAt = 0.25;

it("goes on with an interrupted training, dense and of lookups, to the same figures as an undisturbed one", {
  timeout: 240_000,
}, async () => {
  const [calm, stormy] = [temporary("calm"), temporary("stormy")].map((one) => new paper.CellStore(one));
  const dense = { ...denseCell(), training: { ...denseCell().training, epochs: 40 } };
  const { learningRate: _rate, ...training } = dense.training;
  const shared = { calibration: 64, centroids: 16, seed: 0 };
  const lookup = { kind: "lookup", dense, profile: profiles.plus, training, ...shared };
  for (const cell of [dense, lookup] as Cell[]) {
    const undisturbed = await runCell(cell, calm);
    const controller = new AbortController();
    const scratch = join(stormy.folderOf(cell), "work.1/scratch");
    const stop = ({ label, done, total }: { label: string; done: number; total: number | undefined }) => {
      if (/^fi(t|ne-tune)/.test(label) && done >= interruptedAt * total!) controller.abort(new Error("stop"));
    };
    const run = () => runCell(cell, stormy, { signal: controller.signal });
    await expect(listenToProgress(stop, run)).rejects.toThrow("stop");
    expect(readdirSync(join(scratch, "training"))).toContainEqual(expect.stringMatching(/^checkpoint-\d+/));
    const resumed = await runCell(cell, stormy);
    expect([resumed.provenance.runs, resumed.figures]).toEqual([2, undisturbed.figures]);
  }
});
