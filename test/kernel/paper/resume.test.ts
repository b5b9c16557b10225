import { readdirSync } from "node:fs";
import { join } from "node:path";
import { paper, profiles } from "lutnn";
import { expect, it } from "vitest";
import type { Cell } from "../../../kernel/lib/paper/cells/cell.js";
import { runCell } from "../../../kernel/lib/paper/cells/run.js";
import { denseCell, namesIn, temporary } from "./cells";

/** Turns of the event loop, of which a step of training takes at least one, from the first sight of a training to the abort. */
const turns = 120;

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
    const interrupted = expect(runCell(cell, stormy, { signal: controller.signal })).rejects.toThrow("stop");
    while (!namesIn(scratch).includes("training")) await new Promise(setImmediate);
    for (let i = 0; i < turns; i++) await new Promise(setImmediate);
    controller.abort(new Error("stop"));
    await interrupted;
    expect(readdirSync(join(scratch, "training"))).toContainEqual(expect.stringMatching(/^checkpoint-\d+/));
    const resumed = await runCell(cell, stormy);
    expect([resumed.provenance.runs, resumed.figures]).toEqual([2, undisturbed.figures]);
  }
});
