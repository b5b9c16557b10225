import { createHash } from "node:crypto";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { LutnnError } from "../errors";
import { partialOf } from "../files/aside";
import { canonicalJson } from "../files/canonicalJson";
import { fileError } from "../files/fileError";
import { makeFolder } from "../files/makeFolder";
import { quoted } from "../files/quoted";
import { readFileWhole } from "../files/readFile";
import { type NamedArray, readSafetensors, writeSafetensors } from "../files/safetensors";
import { writeFileWhole } from "../files/writeFile";
import { type Position, readPosition } from "./position";

/** The text by which values are compared: as JSON keeps them, keys in whatever order; of what is too deep one that says so. */
function textOf(value: unknown): string {
  try {
    return value === undefined ? "nothing" : canonicalJson(JSON.parse(JSON.stringify(value)));
  } catch {
    return "something nested too deeply";
  }
}

/** A saved state of a run: everything that decides how it goes on. */
export interface Checkpoint {
  /** Steps taken. */
  step: number;
  position: Position;
  arrays: NamedArray[];
}

/** Checkpoints that are kept, the newest included. */
const kept = 2;
const namePattern = /^checkpoint-(\d{9})\.safetensors$/;
/** The best weights of a run, beside its checkpoints. */
export const bestName = "best.safetensors";

/** Whether a killed run left it half-written. */
function isLeft(name: string): boolean {
  const whole = partialOf(name);
  return whole !== null && (whole === bestName || namePattern.test(whole));
}

/** SHA-256 over names, shapes and values. */
function digest(arrays: NamedArray[], position: string): string {
  const hash = createHash("sha256").update(position);
  for (const { name, shape, values } of arrays)
    hash
      .update(`${name} ${shape.join("×")}\n`)
      .update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return hash.digest("hex");
}

/**
 * The checkpoints of one run in a folder: safetensors files, written aside, synced and renamed, each with a checksum over
 * all that it holds; the newest two are kept.
 */
export class CheckpointFolder {
  /** @param identity what must be equal for a run to go on: settings, data, network */
  constructor(
    readonly folder: string,
    private readonly identity: Record<string, unknown>,
  ) {}

  /** Makes the folder and removes what a killed run left half-written. */
  async prepare(): Promise<void> {
    await this.usable(makeFolder(this.folder));
    const all = await this.usable(readdir(this.folder));
    await this.remove(all.filter(isLeft));
  }

  /** The result of an operation on the folder; what the system refuses as a sentence. */
  private usable<T>(operation: Promise<T>): Promise<T> {
    return operation.catch((error: unknown) => {
      throw fileError("checkpoint", this.folder, error);
    });
  }

  private async remove(names: readonly string[]): Promise<void> {
    for (const name of names) await this.usable(rm(join(this.folder, name), { force: true }));
  }

  /** Names of the checkpoints there are, newest first. */
  private async names(): Promise<string[]> {
    const all = await this.usable(readdir(this.folder));
    return all
      .filter((name) => namePattern.test(name))
      .sort()
      .reverse();
  }

  async save({ step, position, arrays }: Checkpoint): Promise<void> {
    await this.write(`checkpoint-${String(step).padStart(9, "0")}.safetensors`, position, step, arrays);
    await this.remove((await this.names()).slice(kept));
  }

  /** The best weights so far; those before are overwritten as a whole. */
  async saveBest({ step, position, arrays }: Checkpoint): Promise<void> {
    await this.write(bestName, position, step, arrays);
  }

  private async write(name: string, position: Position, step: number, arrays: NamedArray[]): Promise<void> {
    const text = JSON.stringify({ step, position, identity: this.identity });
    const bytes = writeSafetensors(arrays, { lutnn: text, sha256: digest(arrays, text) });
    await writeFileWhole(join(this.folder, name), bytes, "checkpoint");
  }

  /** Reads one file; throws LutnnError when it is damaged or of another run. */
  async read(name: string): Promise<Checkpoint> {
    const path = join(this.folder, name);
    const bytes = await readFileWhole(path, "checkpoint");
    const { arrays, metadata } = readSafetensors(bytes, path);
    const { lutnn: text = "", sha256 } = metadata;
    if (digest(arrays, text) !== sha256)
      throw new LutnnError(`${path}: the checkpoint must match its checksum (it does not); it is damaged`);
    const { step, position, identity } = parseState(text, path);
    const different = Object.keys({ ...identity, ...this.identity }).filter(
      (key) => textOf(identity[key]) !== textOf(this.identity[key]),
    );
    if (different.length > 0)
      throw new OtherRun(
        `${path}: the checkpoint must be of the same run (${different.map((key) => `${key} was ${quoted(identity[key])} and is ${quoted(this.identity[key])}`).join("; ")}); choose another folder, or pass { resume: false } to begin anew`,
      );
    return { step, position, arrays };
  }

  /**
   * The newest checkpoint that is whole, and a sentence for each newer one that was refused; null when there is none.
   * Throws when all that there are were refused, or one is of another run.
   */
  async newest(): Promise<{ checkpoint: Checkpoint; refused: string[] } | null> {
    const refused: string[] = [];
    for (const name of await this.names())
      try {
        return { checkpoint: await this.read(name), refused };
      } catch (error) {
        if (error instanceof OtherRun || !(error instanceof LutnnError)) throw error;
        refused.push(error.message);
      }
    if (refused.length === 0) return null;
    throw new LutnnError(
      `checkpoint: at least one of the checkpoints in ${this.folder} must be whole (${refused.join("; ")}); pass { resume: false } to begin anew`,
    );
  }

  /** Removes all checkpoints. */
  async clear(): Promise<void> {
    await this.remove(await this.names());
  }
}

/** What stands beside the arrays. Throws LutnnError on anything else than what {@link CheckpointFolder.save} writes. */
function parseState(
  text: string,
  path: string,
): { step: number; position: Position; identity: Record<string, unknown> } {
  const state = stateOf(text);
  if (state) return { ...state, position: readPosition(state.position, path) };
  throw new LutnnError(
    `${path}: the checkpoint must say its step, position and identity (it says ${quoted(text)}); it is damaged or none of lutnn's`,
  );
}

function stateOf(text: string): { step: number; position: object; identity: Record<string, unknown> } | null {
  const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  try {
    const state = JSON.parse(text);
    const fits =
      isObject(state) && state.step >= 0 && Number.isSafeInteger(state.step) && isObject(state.identity);
    return fits && isObject(state.position) ? state : null;
  } catch {
    return null;
  }
}

/** A checkpoint that is whole but belongs to other settings: no older one may stand in for it. */
class OtherRun extends LutnnError {}
