import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LutnnError } from "../../../errors";
import { keyOf } from "../../../files/canonicalJson";
import { writeFileWhole } from "../../../files/writeFile";
import type { Work } from "../kind";
import { rehearsal } from "../rehearsal";

/** A number between 0 and 1 that follows from a text alone. */
const numberOf = (text: string): number => Number.parseInt(keyOf(text).slice(0, 8), 16) / 2 ** 32;

/**
 * Takes as many steps as it says, with a checkpoint behind each, and gives numbers that follow from what it stands for:
 * so a whole night's plan can be tried on an engine or a cluster in a minute. Its figures measure nothing.
 */
export const work: Work<"rehearsal"> = {
  whyNot: () => null,

  run: async (cell, { scratch, signal, store }) => {
    const sums: number[] = [];
    for (const needed of rehearsal.needs(cell)) {
      const result = await store.result(needed);
      if (!result)
        throw new LutnnError(
          `cell: what the rehearsal needs must be done first (${keyOf(needed)} is not); run that cell`,
        );
      sums.push(result.figures.metric ?? 0);
    }
    const checkpoint = join(scratch, "step.json");
    const saved: unknown = JSON.parse(await readFile(checkpoint, "utf8").catch(() => "0"));
    for (let step = Number(saved); step < cell.steps; step++) {
      await delay(cell.pace, undefined, { signal });
      await writeFileWhole(checkpoint, String(step + 1), "cell");
    }
    const metric = 100 * numberOf(keyOf(cell)) + sums.reduce((sum, one) => sum + one, 0) / 1000;
    return { figures: { metric, steps: cell.steps } };
  },
};
