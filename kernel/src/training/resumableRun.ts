import { join } from "node:path";
import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import type { NamedArray } from "../files/safetensors";
import { bestName, CheckpointFolder } from "./checkpoint";
import type { Optimizer } from "./optimizer";
import type { CheckpointOptions, TrainingOptions } from "./options";
import type { Position } from "./position";

/** Share of the time that saving may take. */
const mostTime = 0.02;
/** Seconds after which it is saved all the same: where others keep disk and processors busy, a save may take a minute. */
const longest = 300;

/**
 * Saves a run while it goes on, and brings it back. Arrays are copied at once and written in the background, one
 * checkpoint at a time. Without a folder it only keeps the best weights.
 */
export class ResumableRun {
  private readonly folder: CheckpointFolder | null;
  private readonly settings: CheckpointOptions | null;
  private best: NamedArray[] | null = null;
  private writing: Promise<void> = Promise.resolve();
  private failure: unknown = null;
  private lastTime = performance.now();
  private lastStep = 0;
  private secondsToSave = 0; // of the last checkpoint
  /** Path of the newest checkpoint that this run wrote. */
  lastSaved: string | null = null;

  constructor(
    private readonly model: tf.LayersModel,
    private readonly optimizer: Optimizer,
    private readonly options: TrainingOptions,
    identity: Record<string, unknown>,
  ) {
    const { checkpoint } = options;
    this.settings =
      checkpoint === undefined ? null : typeof checkpoint === "string" ? { folder: checkpoint } : checkpoint;
    const shapes = model.weights.map((weight) => weight.shape.join("×")).join(" ");
    this.folder = this.settings && new CheckpointFolder(this.settings.folder, { ...identity, shapes });
  }

  /** Brings back the newest saved state, if there is one. Damaged checkpoints are told as process warnings. */
  async open(): Promise<{ step: number; position: Position } | null> {
    if (!this.folder) return null;
    await this.folder.prepare();
    if (this.options.resume === false) await this.folder.clear();
    const found = await this.folder.newest();
    if (!found) return null;
    for (const sentence of found.refused)
      process.emitWarning(`${sentence}; the checkpoint before it is used`, "LutnnWarning");
    const { step, position, arrays } = found.checkpoint;
    const best = this.options.earlyStopping && position.best ? await this.folder.read(bestName) : null;
    const weights = this.checkedWeights(arrays);
    this.best = best && this.checkedWeights(best.arrays);
    if (position.epoch > this.options.epochs)
      throw new LutnnError(
        `checkpoint: the run must be of at most ${this.options.epochs} epochs (got ${position.epoch} in ${this.folder.folder}); pass { resume: false } to begin anew`,
      );
    const slots = arrays.filter(({ name }) => name.startsWith("slot")).map(({ values }) => values);
    this.optimizer.restore({ count: step, slots });
    this.setWeights(weights);
    this.lastStep = step;
    return { step, position: structuredClone(position) };
  }

  /** Copies of the network's weights, in its order. */
  private weights(): NamedArray[] {
    return this.model.weights.map((weight, i) => ({
      name: `weight/${String(i).padStart(4, "0")}/${weight.originalName}`,
      shape: weight.shape as number[],
      values: weight.read().dataSync() as Float32Array,
    }));
  }

  /** Of a checkpoint's arrays the network's weights, in its order. Throws LutnnError where they are not of this network. */
  private checkedWeights(arrays: readonly NamedArray[]): NamedArray[] {
    const found = arrays
      .filter(({ name }) => name.startsWith("weight/"))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const shapes = (list: readonly { shape: readonly (number | null)[] }[]) =>
      list.map(({ shape }) => shape.join("×")).join(", ");
    const [wanted, got] = [shapes(this.model.weights), shapes(found)];
    if (wanted === got) return found;
    throw new LutnnError(
      `checkpoint: the weights must be of the shapes ${wanted} as the network's (got ${got || "none"} in ${this.folder?.folder}); pass { resume: false } to begin anew`,
    );
  }

  private setWeights(weights: readonly NamedArray[]): void {
    tf.tidy(() => this.model.setWeights(weights.map(({ values, shape }) => tf.tensor(values, shape))));
  }

  /** Weights and the optimiser's slots. */
  private arrays(): NamedArray[] {
    const slots = this.optimizer.state().slots.map((values, i) => ({
      name: `slot/${String(i).padStart(4, "0")}`,
      shape: [values.length],
      values,
    }));
    return [...this.weights(), ...slots];
  }

  /** Saves when enough steps or time have passed, or when `always`. */
  async saveIfDue(step: number, position: Position, always = false): Promise<void> {
    if (!this.folder || !this.settings) return;
    if (this.failure) throw this.failure;
    const { everySteps, everySeconds = 60 } = this.settings;
    const seconds = (performance.now() - this.lastTime) / 1000;
    const due = everySteps
      ? step - this.lastStep >= everySteps
      : seconds >= Math.max(everySeconds, Math.min(longest, this.secondsToSave / mostTime));
    if (!due && !always) return;
    await this.writing;
    this.startSaving(step, position);
    // With a fixed number of steps the caller asked for exactly these checkpoints: none may be skipped by a crash.
    if (everySteps) await this.writing;
  }

  /** Copies the state and writes it in the background. */
  private startSaving(step: number, position: Position): void {
    if (!this.folder) return;
    const { folder } = this;
    const start = performance.now();
    const checkpoint = { step, position: structuredClone(position), arrays: this.arrays() };
    this.lastStep = step;
    this.lastTime = performance.now();
    this.writing = folder.save(checkpoint).then(
      () => {
        this.secondsToSave = (performance.now() - start) / 1000;
        this.lastSaved = join(folder.folder, `checkpoint-${String(step).padStart(9, "0")}.safetensors`);
      },
      (error: unknown) => {
        this.failure = error;
      },
    );
  }

  /** Saves at once, as far as that works: for a run that is being stopped. */
  async saveNow(step: number, position: Position): Promise<void> {
    await this.writing;
    if (this.failure || step === this.lastStep) return;
    this.startSaving(step, position);
    await this.writing;
  }

  /** Remembers the present weights as the best. */
  async keepBest(step: number, position: Position): Promise<void> {
    this.best = this.weights();
    await this.folder?.saveBest({ step, position, arrays: this.best });
  }

  /** Puts the best weights back. */
  restoreBest(): void {
    if (this.best) this.setWeights(this.best);
  }

  /** Waits for what is being written; throws when it could not be. */
  async finish(): Promise<void> {
    await this.writing;
    if (this.failure) throw this.failure;
  }
}
