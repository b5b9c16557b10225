import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { LutnnError } from "../../errors";
import { abandonedBeside, claimAside, releaseAside } from "../../files/aside";
import { canonicalJson, keyOf } from "../../files/canonicalJson";
import { writeFileWhole } from "../../files/writeFile";
import { cellSignal } from "../../host/signal";
import { type CellResult, type Measured, type Provenance, parseResult } from "./cellResult";
import { keptDigest } from "./keptDigest";
import { failureName, type HoldOptions, Lease, moved, resultName, workName } from "./lease";
import { describeMachine } from "./machine";
import { doneMarker, freeMarker, readState } from "./markers";

/** All parameters of a cell by name: whatever JSON can hold, which is checked. */
export type Parameters = { readonly [name: string]: unknown };

/** What a cell's work has to do with. */
export interface CellWork {
  /** A folder for checkpoints and the like: kept when the work is interrupted, removed when it is done. */
  scratch: string;
  /** A folder that stays beside the result, for what other cells need of this one. */
  kept: string;
  signal: AbortSignal;
}

export type RunOptions = Partial<HoldOptions> & {
  /** What the result says of where it comes from. Default: this machine, the versions in this process. */
  origin?: Pick<Provenance, "machine" | "versions">;
  /** Cells that this one starts from: the result says by digest what it found them to have kept. */
  needs?: readonly Parameters[];
};

export type CellStatus =
  | { kind: "done"; result: CellResult; kept: string }
  /** Not done; `failure` says how its last run ended, where one did. */
  | { kind: "open"; isHeld: boolean; failure: string | null };

const specName = "cell.json";

/**
 * Results by the digest of all their parameters, a folder each. A cell's work is done once, whoever asks for it and however
 * often it is killed: one process at a time holds it, the next goes on with what the one before left, and the result
 * appears whole or not at all.
 */
export class CellStore {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = resolve(folder);
  }

  /** The folder of a cell. */
  folderOf(parameters: Parameters): string {
    return join(this.folder, keyOf(parameters));
  }

  /** What there is of a cell. */
  async status(parameters: Parameters): Promise<CellStatus> {
    const folder = this.folderOf(parameters);
    const state = await readState(folder);
    if (state === null) return { kind: "open", isHeld: false, failure: null };
    if (state.kind === "done") {
      const path = join(folder, resultName(state.token));
      const result = parseResult(await readFile(path, "utf8"), path);
      return { kind: "done", result, kept: join(folder, workName(state.token), "kept") };
    }
    const failure = await readFile(join(folder, failureName(state.token)), "utf8").catch(() => null);
    return { kind: "open", isHeld: state.kind === "held", failure };
  }

  /** The result of a cell, null while there is none. */
  async result(parameters: Parameters): Promise<CellResult | null> {
    const status = await this.status(parameters);
    return status.kind === "done" ? status.result : null;
  }

  /** The folder of what a cell that is done has kept. Throws LutnnError where it is not done. */
  async keptOf(parameters: Parameters): Promise<string> {
    const status = await this.status(parameters);
    if (status.kind === "done") return status.kept;
    throw new LutnnError(
      `cell: ${this.folderOf(parameters)} must be done (it is not); call remember with its work first`,
    );
  }

  /** All results that are here, in the order of their keys. */
  async results(): Promise<CellResult[]> {
    const names = await readdir(this.folder).catch(() => []);
    const found: CellResult[] = [];
    for (const name of names.filter((one) => /^[0-9a-f]{32}$/.test(one)).sort()) {
      const state = await readState(join(this.folder, name));
      if (state?.kind !== "done") continue;
      const path = join(this.folder, name, resultName(state.token));
      found.push(parseResult(await readFile(path, "utf8"), path));
    }
    return found;
  }

  /**
   * The result of a cell: as it is kept, or else by doing its work, which may find in `scratch` what an interrupted run
   * left. An interrupt lets the cell go, so that the same call goes on. Throws what the work throws, and LutnnError where
   * another process took the cell over meanwhile, as this one seemed dead.
   */
  async remember(
    parameters: Parameters,
    work: (place: CellWork) => Promise<Measured>,
    options: RunOptions = {},
  ): Promise<CellResult> {
    const folder = await this.prepare(parameters);
    const outer = cellSignal(options.signal);
    const lease = await Lease.take(folder, { ...options, signal: outer });
    if (lease === null) return this.finished(parameters);
    const [scratch, kept] = ["scratch", "kept"].map((name) => join(lease.work, name));
    const signal = AbortSignal.any([outer, lease.signal]);
    const begin = performance.now();
    const started = new Date().toISOString();
    try {
      const needs = await this.digestsOf(options.needs ?? []);
      for (const path of [scratch, kept]) await mkdir(path, { recursive: true });
      const { figures, series = {}, notes = {} } = await work({ scratch, kept, signal });
      signal.throwIfAborted();
      const digest = await keptDigest(kept).catch((error: NodeJS.ErrnoException) => {
        // Taken along by another holder; finishing says so.
        if (error.code === "ENOENT") return undefined;
        throw error;
      });
      const result: CellResult = {
        key: keyOf(parameters),
        cell: JSON.parse(canonicalJson(parameters)),
        figures,
        series,
        notes,
        provenance: {
          ...(options.origin ?? (await ownOrigin())),
          seeds: seedsOf(parameters),
          started,
          seconds: (performance.now() - begin) / 1000,
          runs: lease.token,
          ...(digest === undefined ? {} : { kept: digest }),
          needs,
        },
      };
      const text = JSON.stringify(result, null, 1);
      parseResult(text, folder);
      await lease.finish(text);
      await rm(scratch, { recursive: true, force: true });
      return result;
    } catch (error) {
      // What an abort makes of a library's call says less than its reason.
      const told = signal.aborted ? signal.reason : error;
      await lease.release(signal.aborted ? undefined : sentenceOf(told)).catch(() => undefined); // the first error says more
      throw told;
    }
  }

  /**
   * Takes in a result that was measured in another store, without what its cell had kept there. False, and nothing happens,
   * where the cell is done here or somebody works on it.
   */
  async adopt(result: CellResult): Promise<boolean> {
    const text = JSON.stringify(result, null, 1);
    parseResult(text, `the result of ${result.key}`);
    const folder = await this.prepare(result.cell);
    const state = await readState(folder);
    if (state?.kind !== "free") return false;
    const token = state.token + 1;
    await writeFileWhole(join(folder, resultName(token)), text, "cell");
    if (!(await moved(join(folder, state.marker), join(folder, doneMarker(token))))) return false;
    await rm(join(folder, workName(state.token)), { recursive: true, force: true });
    return true;
  }

  /** Takes in all results of a folder, files named by a cell's key. Throws LutnnError where there is no such folder. */
  async adoptAll(folder: string): Promise<void> {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      throw new LutnnError(
        `cell: the results must be in a folder that can be read (got ${folder}: ${error.code ?? error.message}); leave them out, or name another one`,
      );
    });
    for (const name of names.filter((one) => /^[0-9a-f]{32}\.json$/.test(one)).sort()) {
      const path = join(folder, name);
      await this.adopt(parseResult(await readFile(path, "utf8"), path));
    }
  }

  /**
   * Opens a cell that is done, for a run that begins anew: what it kept is gone, or what it started from is another one.
   * Nothing happens where its result is no longer the one that was `seen`.
   */
  async reopen(seen: CellResult): Promise<void> {
    const folder = this.folderOf(seen.cell);
    const state = await readState(folder);
    if (state?.kind !== "done") return;
    const path = join(folder, resultName(state.token));
    if (canonicalJson(parseResult(await readFile(path, "utf8"), path)) !== canonicalJson(seen)) return;
    await moved(join(folder, state.marker), join(folder, freeMarker(state.token)));
  }

  /** By key, what cells that are done have kept; of one that has kept nothing there is nothing. */
  private async digestsOf(cells: readonly Parameters[]): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    for (const cell of cells) {
      const digest = (await this.result(cell))?.provenance.kept;
      if (digest !== undefined) found[keyOf(cell)] = digest;
    }
    return found;
  }

  /** The result of a cell that is done, without what its last run had no time to remove. */
  private async finished(parameters: Parameters): Promise<CellResult> {
    const status = await this.status(parameters);
    if (status.kind !== "done") throw new TypeError("a cell that is done stays so");
    await rm(join(status.kept, "../scratch"), { recursive: true, force: true });
    return status.result;
  }

  /** The folder of a cell, made where it is missing: with `cell.json`, its parameters, and a free lease, whole or not at all. */
  async prepare(parameters: Parameters): Promise<string> {
    const folder = this.folderOf(parameters);
    for (const left of await abandonedBeside(folder)) await rm(left, { recursive: true, force: true });
    if (await readState(folder)) return folder;
    const aside = claimAside(folder);
    try {
      await mkdir(aside, { recursive: true });
      await writeFile(join(aside, specName), `${JSON.stringify(parameters, null, 1)}\n`);
      await writeFile(join(aside, freeMarker(0)), "");
      await rename(aside, folder);
    } catch (error) {
      // Another process was quicker, unless there is still none.
      if (!(await readState(folder))) throw error;
    } finally {
      await rm(aside, { recursive: true, force: true });
      releaseAside(aside);
    }
    return folder;
  }
}

/** Only here, as it loads TensorFlow. */
async function ownOrigin(): Promise<Pick<Provenance, "machine" | "versions">> {
  const { versions } = await import("./versions.js");
  return { machine: describeMachine(), versions: versions() };
}

/** Every number that is called `seed`, at any depth, each once. */
function seedsOf(value: unknown): number[] {
  const found = new Set<number>();
  const look = (one: unknown, name: string): void => {
    if (typeof one === "number" && name === "seed") found.add(one);
    else if (typeof one === "object" && one !== null)
      for (const [key, inner] of Object.entries(one)) look(inner, key);
  };
  look(value, "");
  return [...found].sort((a, b) => a - b);
}

/** How a run failed, for who reads the tables. */
export const sentenceOf = (error: unknown): string =>
  error instanceof LutnnError ? error.message : String(error instanceof Error ? error.stack : error);
