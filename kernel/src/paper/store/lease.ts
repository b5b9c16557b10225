import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Worker } from "node:worker_threads";
import { LutnnError } from "../../errors";
import { writeFileWhole } from "../../files/writeFile";
import { type Holder, hasEnded, newHolder } from "./holder";
import { type CellState, doneMarker, freeMarker, heldMarker, readState } from "./markers";
import type { WatchMessage, WatchOrders } from "./watch";

/** How a cell is held and what its holder's end means. */
export interface HoldOptions {
  /** Seconds without a heartbeat after which a holder that cannot be asked counts as gone. Default 30. */
  staleSeconds?: number;
  /** End this process when that one, its parent, is gone, or when the lease is lost and the work goes on. Default: neither. */
  parent?: number;
  /** Told once when another holds the cell, before waiting for it. */
  onWait?: (sentence: string) => void;
  signal: AbortSignal;
}

/** How often a waiting process looks, and how long a lost one has to end by itself. */
const [lookEveryMs, endWithinMs] = [250, 10_000];

/** Renames; false where the old name is no longer there. */
export async function moved(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

export const resultName = (token: number): string => `result.${token}.json`;
export const failureName = (token: number): string => `failure.${token}.json`;
export const workName = (token: number): string => `work.${token}`;

/**
 * The right to work on a cell. Its work lies in a folder named by its token, which the next holder takes along by renaming
 * it: what a holder that was thought dead still writes is then under a name that nobody reads.
 */
export class Lease {
  private readonly controller = new AbortController();
  private readonly watcher: Worker;
  private marker: string;
  private isLost = false;

  private constructor(
    private readonly folder: string,
    readonly token: number,
    holder: Holder,
    { staleSeconds = 30, parent }: HoldOptions,
  ) {
    this.marker = heldMarker(token, holder);
    const orders: WatchOrders = {
      lease: join(folder, this.marker),
      everyMs: (staleSeconds * 1000) / 10,
      parent: parent ?? null,
      killAfterMs: parent === undefined ? null : endWithinMs,
    };
    this.watcher = new Worker(join(__dirname, "watch.js"), { workerData: orders });
    this.watcher.unref();
    this.watcher.on("message", (message: WatchMessage) => {
      this.isLost ||= message === "lost";
      this.controller.abort(
        this.isLost
          ? this.lost()
          : new LutnnError("cell: the process that started this one must run as long (it has ended)"),
      );
    });
  }

  /**
   * Takes the cell in a folder, once nobody works on it; null when it is done. Waits for a holder that lives.
   */
  static async take(folder: string, options: HoldOptions): Promise<Lease | null> {
    const { staleSeconds = 30, onWait, signal } = options;
    let seen = { beat: "", since: performance.now() };
    let isTold = false;
    for (;;) {
      signal.throwIfAborted();
      const state = await readState(folder);
      if (state === null) throw new LutnnError(`cell: the folder ${folder} must exist (it does not)`);
      if (state.kind === "done") return null;
      // The other's clock does not matter: its heartbeat is only compared with what it was before.
      const beat = await beatOf(folder, state);
      if (beat !== seen.beat) seen = { beat, since: performance.now() };
      const isStale = performance.now() - seen.since > staleSeconds * 1000;
      if (state.kind === "free" || hasEnded(state.holder) || isStale) {
        const holder = newHolder();
        const token = state.token + 1;
        if (!(await moved(join(folder, state.marker), join(folder, heldMarker(token, holder))))) continue;
        const lease = new Lease(folder, token, holder, options);
        await lease.takeWork();
        return lease;
      }
      if (!isTold)
        onWait?.(
          `process ${state.holder.pid} of system ${state.holder.system} works on it; waiting for that`,
        );
      isTold = true;
      await delay(lookEveryMs, undefined, { signal });
    }
  }

  /** Aborts when the lease is lost or the parent has ended. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** The folder for the work. */
  get work(): string {
    return join(this.folder, workName(this.token));
  }

  private lost(): LutnnError {
    return new LutnnError(
      `cell: another process must not have taken over ${this.folder} (it has, as this one gave no sign of life); start the cell again`,
    );
  }

  /** What was done before becomes this holder's; what lost holders left is removed. */
  private async takeWork(): Promise<void> {
    const numbered = (await readdir(this.folder)).flatMap((name) => {
      const [, number] = /^work\.(\d+)$/.exec(name) ?? [];
      return number === undefined ? [] : [Number(number)];
    });
    const newest = Math.max(...numbered.filter((token) => token < this.token), -1);
    if (newest >= 0) await moved(join(this.folder, workName(newest)), this.work);
    await mkdir(this.work, { recursive: true });
    for (const token of numbered)
      if (token !== newest && token < this.token)
        await rm(join(this.folder, workName(token)), { recursive: true, force: true });
  }

  /** Publishes a result, unless the lease is lost: then throws and nothing is published. */
  async finish(result: string): Promise<void> {
    await writeFileWhole(join(this.folder, resultName(this.token)), result, "cell");
    await this.leave(doneMarker(this.token));
  }

  /**
   * Lets the cell go unfinished, for whoever comes next; with a reason, that is kept until then. Where another has it
   * already, nothing is left to do.
   */
  async release(failure?: string): Promise<void> {
    if (this.isLost) {
      await this.watcher.terminate();
      return;
    }
    if (failure !== undefined)
      await writeFileWhole(join(this.folder, failureName(this.token)), failure, "cell");
    await this.leave(freeMarker(this.token));
  }

  private async leave(marker: string): Promise<void> {
    await this.watcher.terminate();
    if (!(await moved(join(this.folder, this.marker), join(this.folder, marker)))) throw this.lost();
    this.marker = marker;
  }
}

/** What changes whenever a holder gives a sign of life. */
async function beatOf(folder: string, { marker }: CellState): Promise<string> {
  const found = await stat(join(folder, marker)).catch(() => null);
  return `${marker} ${found?.mtimeMs ?? ""}`;
}
