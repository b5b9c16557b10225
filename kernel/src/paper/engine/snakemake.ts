import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileWhole } from "../../files/writeFile";
import type { CellStore } from "../store/cellStore";
import { type Job, reopenStale } from "./plan";

export interface WorkflowOptions {
  store: CellStore;
  /** Processors that one cell may use. */
  threads: number;
  /** Words of the command that fills the tables once all cells are done, behind the program's. */
  report: readonly string[];
}

const shipped = join(__dirname, "../../../workflow");
const program = join(__dirname, "../../../bin/lutnn.js");
/** How often a cell is tried again before it counts as failed. */
const retries = 10;
/** What every cell is given, and times this much of its effort on the machine that efforts are of. */
const [leastMinutes, patience] = [10, 5];

/**
 * Writes a plan as a Snakemake workflow: the Snakefile and profiles that the package ships, the cells' parameters and
 * `plan.json`. Cells that cannot be run here are left out, and so is what needs them; a cell that is done stays in, and costs
 * a look. Answers with the number of cells.
 */
export async function writeWorkflow(
  plan: readonly Job[],
  folder: string,
  { store, threads, report }: WorkflowOptions,
): Promise<number> {
  const jobs = plan.filter(({ whyNot }) => whyNot === null);
  await reopenStale(plan, store);
  await rm(join(folder, "cells"), { recursive: true, force: true });
  await cp(shipped, folder, { recursive: true });
  for (const { key, cell } of jobs)
    await writeFileWhole(join(folder, "cells", `${key}.json`), JSON.stringify(cell, null, 1), "reproduce");
  const described = {
    program: [process.execPath, program],
    store: store.folder,
    threads,
    retries,
    order: jobs.map(({ key }) => key),
    report,
    jobs: jobs.map(({ key, title, needs, effort, isAlone }) => ({
      key,
      title,
      needs,
      isAlone,
      minutes: leastMinutes + Math.ceil((patience * effort) / 60),
      memoryMb: 4000,
    })),
  };
  await writeFileWhole(join(folder, "plan.json"), `${JSON.stringify(described, null, 1)}\n`, "reproduce");
  return jobs.length;
}
