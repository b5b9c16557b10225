import { join } from "node:path";
import { kindOf } from "../cells/index";
import { runCell } from "../cells/run";
import { type CellStore, sentenceOf } from "../store/cellStore";
import { runCellProcess } from "./cellProcess";
import { coreShares } from "./cores";
import type { Job } from "./plan";

export interface LocalOptions {
  store: CellStore;
  /** Processors that all cells together may use. */
  cores: number;
  /** Cells that run at a time, each on its share of the processors. */
  jobs: number;
  onEvent: (event: EngineEvent) => void;
  signal: AbortSignal;
}

/** What an engine tells while it runs. */
export type EngineEvent =
  | { kind: "start" | "done"; job: Job }
  | { kind: "failed"; job: Job; reason: string }
  /** Killed from outside: it goes on from its checkpoint. */
  | { kind: "again"; job: Job; signal: string }
  | { kind: "waiting"; job: Job; sentence: string }
  /** What share of a job is done, as far as it is known. */
  | { kind: "progress"; job: Job; share: number; line: string };

/** A cell that is killed so often is given up. */
const mostKills = 10;

/**
 * Runs a plan's cells on this machine without a server: each in a process of its own, as soon as what it needs is done, those
 * that take times alone. Answers with why cells are not done, by key; nobody else's failure keeps a cell from running. An
 * abort lets all cells go with what they have done, and throws its reason.
 */
export async function runLocally(plan: readonly Job[], options: LocalOptions): Promise<Map<string, string>> {
  const { store, signal, onEvent } = options;
  const reasons = new Map<string, string>();
  const done = new Set<string>();
  const waiting = new Set<Job>();
  for (const job of plan) {
    if (job.isDone) done.add(job.key);
    else if (job.whyNot !== null) reasons.set(job.key, job.whyNot);
    else waiting.add(job);
  }
  const shares = coreShares(options.cores, options.jobs);
  const running = new Map<Job, Promise<void>>();

  /** Gives up what needs a cell that is not to be had. */
  const dropHopeless = () => {
    for (const job of waiting) {
      const failed = job.needs.find((need) => reasons.has(need));
      if (failed === undefined) continue;
      const title = plan.find(({ key }) => key === failed)?.title ?? failed;
      reasons.set(job.key, `it needs ${title}, which is not done: ${reasons.get(failed)}`);
      waiting.delete(job);
    }
  };

  const next = (): Job | undefined => {
    if (signal.aborted || shares.length === 0) return undefined;
    if ([...running.keys()].some(({ isAlone }) => isAlone)) return undefined;
    const ready = [...waiting].filter(({ needs }) => needs.every((need) => done.has(need)));
    const beside = ready.find(({ isAlone }) => !isAlone);
    return beside ?? (running.size === 0 ? ready[0] : undefined);
  };

  const fail = (job: Job, reason: string) => {
    reasons.set(job.key, reason);
    onEvent({ kind: "failed", job, reason });
  };

  const finish = (job: Job) => {
    done.add(job.key);
    onEvent({ kind: "done", job });
  };

  const runHere = async (job: Job): Promise<void> => {
    try {
      await runCell(job.cell, store, { signal });
      finish(job);
    } catch (error) {
      if (!signal.aborted) fail(job, sentenceOf(error));
    }
  };

  const run = async (job: Job, before: readonly string[]): Promise<void> => {
    if (kindOf(job.cell).isLight) return runHere(job);
    const spec = join(await store.prepare(job.cell), "cell.json");
    for (let kills = 0; ; ) {
      const end = await runCellProcess(
        { spec, dir: store.folder, before },
        (message) => {
          if (message.kind === "waiting") onEvent({ kind: "waiting", job, sentence: message.sentence });
          else onEvent({ kind: "progress", job, share: message.share ?? 0, line: message.line });
        },
        signal,
      );
      const status = await store.status(job.cell);
      if (status.kind === "done") return finish(job);
      if (signal.aborted) return;
      if (end.kind === "signal" && ++kills < mostKills) {
        onEvent({ kind: "again", job, signal: end.signal });
        continue;
      }
      const said = end.kind === "signal" ? `it was killed ${kills} times (${end.signal})` : end.said.trim();
      return fail(job, (status.failure ?? said).split("\n")[0]);
    }
  };

  for (;;) {
    dropHopeless();
    for (let job = next(); job; job = next()) {
      const started = job;
      waiting.delete(started);
      const share = shares.pop()!;
      onEvent({ kind: "start", job: started });
      const whole = run(started, share).finally(() => {
        running.delete(started);
        shares.push(share);
      });
      running.set(started, whole);
    }
    if (running.size === 0) break;
    await Promise.race(running.values());
  }
  signal.throwIfAborted();
  return reasons;
}
