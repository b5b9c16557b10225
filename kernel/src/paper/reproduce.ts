import { LutnnError } from "../errors";
import { keyOf } from "../files/canonicalJson";
import { cellSignal } from "../host/signal";
import type { Cell } from "./cells/cell";
import { kindOf } from "./cells/index";
import { type EngineEvent, runLocally } from "./engine/local";
import { type Job, makePlan, reopenStale } from "./engine/plan";
import { type FilledTable, fillTable, type Known } from "./output/filledTable";
import { type CellResult, startedFrom } from "./store/cellResult";
import { CellStore } from "./store/cellStore";
import { defaultChoices, type TableChoices } from "./tables/choices";
import { tableNames, tableSpec } from "./tables/index";
import { cellsOf, type TableSpec } from "./tables/table";

export interface ReproduceOptions extends Partial<TableChoices> {
  /** Folder of the store that results are kept in. */
  store: string;
  /** A folder of results that were measured elsewhere, such as `notebooks/executed/paper/cells`, which are taken up first. */
  results?: string;
  /** `local`: runs what is missing on this machine; `none`: only looks at what is there. Default `local`. */
  engine?: "local" | "none";
  /** Processors that may be used. Default 1. */
  cores?: number;
  /** Cells at a time. Default 1. */
  jobs?: number;
  /** Told what is to be done, before anything is, and then what happens. */
  onPlan?: (plan: readonly Job[]) => void;
  onEvent?: (event: EngineEvent) => void;
  /** What the tables say of how they came about. Default: the call. */
  command?: string;
  signal?: AbortSignal;
}

/** The specifications of one table, or of all. */
export const specsOf = (table: string, choices: Partial<TableChoices>): TableSpec[] =>
  (table === "all" ? tableNames : [table]).map((name) => tableSpec(name, { ...defaultChoices, ...choices }));

/**
 * One table of the paper, or all of them: runs the cells that are missing, and fills in what there is. The same call goes on
 * after an interruption. What cannot be run here, or failed, is said in the table.
 */
export async function reproduce(table: string, options: ReproduceOptions): Promise<FilledTable[]> {
  const { engine = "local", cores = 1, jobs = 1, onPlan, onEvent = () => undefined } = options;
  for (const [name, value] of Object.entries({ cores, jobs, seeds: options.seeds ?? 1 }))
    if (!Number.isInteger(value) || value < 1)
      throw new LutnnError(`reproduce: ${name} must be a whole number from 1 (got ${value})`);
  if (jobs > cores)
    throw new LutnnError(
      `reproduce: jobs must be at most as many as cores (got ${jobs} of ${cores}); give each at least one`,
    );
  const specs = specsOf(table, options);
  const store = new CellStore(options.store);
  const signal = cellSignal(options.signal);
  if (options.results !== undefined) await store.adoptAll(options.results);
  let plan = await makePlan(specs, store);
  onPlan?.(plan);
  let reasons = reasonsOf(plan);
  while (engine === "local") {
    await reopenStale(plan, store);
    reasons = await runLocally(plan, { store, cores, jobs, onEvent, signal });
    // What was done anew may have come out as another one: then what started from it is done again, too.
    plan = await makePlan(specs, store);
    if (!plan.some(({ stale, whyNot }) => stale && whyNot === null)) break;
    onPlan?.(plan);
  }
  const known = await lookUp(specs, store, reasons);
  const scale = options.scale ?? defaultChoices.scale;
  const command = options.command ?? `lutnn.paper.reproduce(${JSON.stringify(table)})`;
  const words = `${scale}${options.quick ? ", quick" : ""}`;
  return specs.map((spec) => fillTable(spec, known, { scale: words, command }));
}

/** Why cells of a plan cannot be run here, by their keys. */
const reasonsOf = (plan: readonly Job[]): Map<string, string> =>
  new Map(plan.flatMap(({ key, whyNot }) => (whyNot === null ? [] : [[key, whyNot] as const])));

/** The results of all cells, and why there is none. */
async function lookUp(
  specs: readonly TableSpec[],
  store: CellStore,
  reasons: ReadonlyMap<string, string>,
): Promise<Known> {
  const results = new Map<string, CellResult>();
  const failures = new Map<string, string>();
  for (const cell of specs.flatMap(cellsOf)) {
    const key = keyOf(cell);
    if (results.has(key)) continue;
    const status = await store.status(cell);
    if (status.kind === "done") {
      const needs = await Promise.all(
        kindOf(cell)
          .needs(cell)
          .map((need) => store.result(need)),
      );
      const isOfThese = startedFrom(
        status.result,
        needs.filter((need) => need !== null),
      );
      if (isOfThese) results.set(key, status.result);
      else failures.set(key, "what it had started from was made anew since; run the table again");
    } else if (status.failure !== null) failures.set(key, status.failure.split("\n")[0]);
  }
  return {
    result: (cell: Cell) => results.get(keyOf(cell)) ?? null,
    reason: (cell: Cell) => {
      const key = keyOf(cell);
      return reasons.get(key) ?? failures.get(key) ?? "nobody has run it yet";
    },
  };
}
