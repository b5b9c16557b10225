import { keyOf } from "../../files/canonicalJson";
import type { Cell } from "../cells/cell";
import { kindOf } from "../cells/index";
import { workOf } from "../cells/works";
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
  /** Why it cannot be done here; null where it can. */
  whyNot: string | null;
}

/** The cells of some tables and all that they need, each once, none before what it needs. */
export async function makePlan(tables: readonly TableSpec[], store: CellStore): Promise<Job[]> {
  const jobs = new Map<string, Job>();
  const add = async (cell: Cell): Promise<string> => {
    const key = keyOf(cell);
    if (jobs.has(key)) return key;
    const kind = kindOf(cell);
    const needs: string[] = [];
    for (const needed of kind.needs(cell)) needs.push(await add(needed));
    const isDone = (await store.result(cell)) !== null;
    const own = isDone ? null : (await workOf(cell)).whyNot(cell);
    const missing = needs.map((need) => jobs.get(need)!).find(({ whyNot }) => whyNot !== null);
    const whyNot = own ?? (missing && !isDone ? `it needs ${missing.title}: ${missing.whyNot}` : null);
    const { isAlone } = kind;
    const [title, effort] = [kind.title(cell), kind.effort(cell)];
    jobs.set(key, { key, cell, title, needs, effort, isAlone, isDone, whyNot });
    return key;
  };
  for (const table of tables) for (const cell of cellsOf(table)) await add(cell);
  return [...jobs.values()];
}
