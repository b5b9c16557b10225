import { readdir } from "node:fs/promises";
import { keyOf } from "../../files/canonicalJson";
import type { Cell } from "../cells/cell";
import { kindOf } from "../cells/index";
import { workOf } from "../cells/works";
import { type CellResult, startedFrom } from "../store/cellResult";
import type { CellStore } from "../store/cellStore";
import { cellsOf, type TableSpec } from "../tables/table";

/** One cell of a plan. */
export interface Job {
  key: string;
  cell: Cell;
  title: string;
  /** Keys of the cells that must be done before. */
  needs: string[];
  /** Seconds, roughly. */
  effort: number;
  /** Nothing else may run beside it. */
  isAlone: boolean;
  isDone: boolean;
  /**
   * Of a cell that is to be done though the store has a result of it: that result, which started from what is no longer
   * there, or has nothing left beside it of what others start from.
   */
  stale: CellResult | null;
  /** Why it cannot be done here; null where it can. */
  whyNot: string | null;
}

/** The cells of some tables and all that they need, each once, none before what it needs. */
export async function makePlan(tables: readonly TableSpec[], store: CellStore): Promise<Job[]> {
  const jobs = new Map<string, Job>();
  const results = new Map<string, CellResult>();
  const add = async (cell: Cell): Promise<string> => {
    const key = keyOf(cell);
    if (jobs.has(key)) return key;
    const kind = kindOf(cell);
    const needs: string[] = [];
    for (const needed of kind.needs(cell)) needs.push(await add(needed));
    const result = await store.result(cell);
    if (result) results.set(key, result);
    const isDone =
      result !== null &&
      startedFrom(
        result,
        needs.flatMap((need) => results.get(need) ?? []),
      );
    const own = isDone ? null : (await workOf(cell)).whyNot(cell);
    const missing = needs.map((need) => jobs.get(need)!).find(({ whyNot }) => whyNot !== null);
    const whyNot = own ?? (missing && !isDone ? `it needs ${missing.title}: ${missing.whyNot}` : null);
    const { isAlone } = kind;
    const [title, effort] = [kind.title(cell), kind.effort(cell)];
    jobs.set(key, {
      key,
      cell,
      title,
      needs,
      effort,
      isAlone,
      isDone,
      stale: isDone ? null : result,
      whyNot,
    });
    return key;
  };
  for (const table of tables) for (const cell of cellsOf(table)) await add(cell);
  await openWhatIsGone(jobs, results, store);
  return [...jobs.values()];
}

/** Has cells done again whose result came from elsewhere without the files that a cell to be done starts from. */
async function openWhatIsGone(
  jobs: ReadonlyMap<string, Job>,
  results: ReadonlyMap<string, CellResult>,
  store: CellStore,
): Promise<void> {
  // From the last on: what needs a cell stands behind it.
  for (const { isDone, whyNot, needs } of [...jobs.values()].reverse()) {
    if (isDone || whyNot !== null) continue;
    for (const need of needs.map((key) => jobs.get(key)!)) {
      if (!need.isDone || !kindOf(need.cell).keeps || (await hasKept(need.cell, store))) continue;
      need.isDone = false;
      need.stale = results.get(need.key)!;
      need.whyNot = (await workOf(need.cell)).whyNot(need.cell);
    }
  }
}

async function hasKept(cell: Cell, store: CellStore): Promise<boolean> {
  const status = await store.status(cell);
  return status.kind === "done" && (await readdir(status.kept).catch(() => [])).length > 0;
}

/** Opens the cells that a plan does again, before an engine begins. */
export async function reopenStale(plan: readonly Job[], store: CellStore): Promise<void> {
  for (const { stale, whyNot } of plan) if (stale && whyNot === null) await store.reopen(stale);
}
