import { basename } from "node:path";
import "../compute/accelerate";
import type { ExampleSource } from "../datasets/examples";
import type { Data } from "../datasets/from";
import { LutnnError } from "../errors";
import { isFileError } from "../files/fileError";
import type { CurvePoint } from "../training/curve";
import type { TrainingHistory } from "../training/history";
import { fileMetadata, workKey } from "./fileMetadata";
import { type FineTuneOptions, fineTuneStudent } from "./fineTune";
import { namedData } from "./knownData";
import { methodNames, methods } from "./methods/index";
import type { Student } from "./methods/method";
import type { ConvertAllOptions } from "./options";
import { Outcome } from "./outcome";
import { PlacingConversion } from "./placing";
import { Named, recordOf, type VerbRecord } from "./record";
import { checkSave, makeFile, type SaveOptions, writeModelFile } from "./saveFile";
import { makeStages, stageFolders } from "./stages";
import { type Origin, replacedLayers } from "./state";
import { trainedState } from "./trainedState";
import { workFolder } from "./workOfFile";
import { writeConversion } from "./writeConversion";

/** How a fine-tuning goes. */
export interface TrainingProgress {
  /** Means over some batches in a row, at most some hundred of them. */
  readonly points: readonly CurvePoint[];
  readonly done: boolean;
}

/**
 * A network on its way to table lookups. The dense network stays untouched and serves as reference and teacher; the
 * converted one is {@link model}. Every verb makes a new state out of the present one, and none is forgotten. Verbs
 * that come while another runs wait for it, in order.
 */
export class Conversion extends PlacingConversion {
  private curve: TrainingProgress | null = null;

  /**
   * Trains the converted network (soft-PQ): centroids, tables or weights, temperatures, batch norms and the layers that
   * stayed dense. Returns the figures of each epoch. An interrupt, or a disk that takes no checkpoint or log any more,
   * leaves it as of the last whole step, which `stopAfter` in its code does again; a run that fails otherwise, or is stopped
   * before its first step, leaves it as it was.
   */
  async fineTune(given: Data, options: FineTuneOptions): Promise<TrainingHistory> {
    return this.queue.run("fine-tune", options.signal, async (signal) => {
      const data = await this.examples("fineTune", given, signal);
      this.note("train", given, data);
      return this.fineTuneNow(data, namedData(given, data), options, signal);
    });
  }

  private async fineTuneNow(
    data: ExampleSource,
    named: Named,
    options: FineTuneOptions,
    signal: AbortSignal,
  ): Promise<TrainingHistory> {
    const { student } = this;
    if (!student)
      throw new LutnnError(
        "fineTune: at least one layer must be replaced first (none is); call replace(name) or replaceAll()",
      );
    this.checkTrainable("fineTune", "trained");
    const given = Object.entries(options).filter(
      ([key, value]) => key in this.profile.fineTune && value !== undefined,
    );
    const settings = { ...this.profile.fineTune, ...Object.fromEntries(given) };
    let taken = 0;
    const run = {
      onStep: (steps: number) => {
        taken = steps;
      },
      onCurve: (points: readonly CurvePoint[]) => this.showCurve({ points, done: false }),
      graph: this.graph,
      student,
      task: this.task,
      data,
      settings,
      options: { ...options, signal },
    };
    const origin = { data: data.name, examples: data.size, seed: options.seed ?? 0 };
    const made = (more: Partial<FineTuneOptions> = {}) =>
      recordOf("fineTune", [named, trainingOptions({ ...options, ...more })]);
    this.showCurve({ points: [], done: false });
    try {
      const history = await fineTuneStudent(run);
      this.keepTrained(student, "fine-tune", origin, made());
      return history;
    } catch (error) {
      // When it was stopped is the clock's doing; that it was after so many steps can be done again.
      if (taken > 0 && (signal.aborted || isFileError(error)))
        this.keepTrained(student, "fine-tune, stopped", origin, made({ stopAfter: taken }));
      else this.discard();
      throw error;
    } finally {
      this.showCurve({ points: this.training?.points ?? [], done: true });
    }
  }

  protected override lost(): void {
    super.lost();
    if (this.curve && !this.curve.done) this.showCurve({ ...this.curve, done: true });
  }

  private showCurve(curve: TrainingProgress): void {
    this.curve = curve;
    this.announce({ kind: "training" });
  }

  /** Loss and metric of the fine-tuning that runs, or ran last; null before the first. */
  get training(): TrainingProgress | null {
    return this.curve;
  }

  private keepTrained(student: Student, label: string, origin: Origin, made: VerbRecord): void {
    const state = trainedState(this.state, student, origin, this.surroundings);
    this.keep(label, student, state, made);
  }

  /**
   * The whole way, in as many stages as the profile says (gradual replacement): each takes the next layers from the
   * input on, calibrates them on the network as it is by then, replaces them, and trains the network for its share of
   * the epochs. Every layer must be dense. Returns the figures of each stage. The same call goes on after an
   * interruption where `checkpoint` names a folder and every layer has been restored.
   */
  async convertAll(given: Data, options: ConvertAllOptions): Promise<TrainingHistory[]> {
    const { calibrationImages = 4096, ...training } = options;
    return this.queue.run("convert all layers", options.signal, async (signal) => {
      const data = await this.examples("convertAll", given, signal);
      this.note("train", given, data);
      const placed = replacedLayers(this.state);
      if (placed.length > 0)
        throw new LutnnError(
          `convertAll: every layer must be dense (${placed.join(", ")} replaced); call restoreAll() first`,
        );
      const stages = makeStages(this.profile.stages, this.names, options.epochs);
      const method = this.profile.calibrate.method;
      const histories: TrainingHistory[] = [];
      for (const [index, { layers, epochs }] of stages.entries()) {
        const folders = stages.length > 1 ? stageFolders(options, index) : {};
        const some = data.take(calibrationImages);
        const someNamed = namedData(given, some, `.take(${calibrationImages})`);
        await this.calibrateNow(some, someNamed, { method, layers, seed: options.seed }, signal);
        this.replaceNow(layers, {});
        const named = namedData(given, data);
        histories.push(await this.fineTuneNow(data, named, { ...training, ...folders, epochs }, signal));
      }
      return histories;
    });
  }

  /**
   * Writes the network as an ONNX file (opset 17) that any ONNX runtime runs; replaced layers are nodes of domain
   * `ai.lutnn`, which the file defines as functions of standard operators. The file is whole or not there, and is
   * written only if it computes what the network computes. Its `metadata_props` say the profile, for each layer method,
   * sizes, data and seed, and what `evaluate` last found in this state; `fileInfo(path)` reads them. A file holds no dense
   * weights and nothing that only training needs: with `reopen` the work is stored beside it, for `openConversion(path)`. With
   * `remainder: "int8"` what is left dense is in INT8 there, and the sentence tells what that does to the answers.
   */
  save(path: string, options: SaveOptions = {}): Promise<Outcome> {
    return this.queue.run(`save ${path}`, options.signal, async (signal) => {
      this.checkTrainable("save", "saved");
      checkSave(path, options);
      const { outputs } = this.graph;
      const outputNames = outputs.length > 1 ? outputs.map(({ name }) => name) : undefined;
      const work = options.reopen ? workFolder(path) : null;
      const metadata = {
        ...fileMetadata(this.profile, this.task.description, this.targets, this.history.current),
        ...(work ? { [workKey]: basename(work) } : {}),
      };
      const { train, validation } = this.data;
      const known = (train ?? validation)?.given ?? null;
      const parts = { outputNames, metadata, samples: this.samples, known, task: this.task };
      const { bytes, checked, warnings } = await makeFile(this.model, parts, { ...options, signal });
      const stored = work ? `, the work in ${await this.storeNow(work, signal)}` : "";
      const written = await writeModelFile(path, bytes, options);
      return new Outcome(`saved ${path}: ${written}, ${this.replacedCount}, ${checked}${stored}`, [
        ...(replacedLayers(this.state).length === 0
          ? ["no layer is replaced, so this is the dense network"]
          : []),
        ...warnings,
      ]);
    });
  }

  /**
   * Writes the work itself into a folder: the dense network, everything that was learnt, every state. A later
   * `openConversion(folder)` goes on from there. What was stored before in the folder stays until the new is whole.
   */
  store(folder: string, options: { signal?: AbortSignal } = {}): Promise<Outcome> {
    return this.queue.run(`store ${folder}`, options.signal, async (signal) => {
      return new Outcome(`stored ${await this.storeNow(folder, signal)}`);
    });
  }

  /** Writes the work; returns where and what, as words. */
  private async storeNow(folder: string, signal: AbortSignal): Promise<string> {
    const { arrays, bytes } = await writeConversion(folder, this.parts, signal);
    return `${folder}: ${this.history.entries.length} states, ${arrays} arrays, ${bytes.toLocaleString("en")} bytes`;
  }

  private checkTrainable(what: string, participle: string): void {
    const name = replacedLayers(this.state).find(
      (one) => !methods[this.state.layers[one].replacedBy!].trainable,
    );
    if (!name) return;
    const { title } = methods[this.state.layers[name].replacedBy!];
    const trainable = methodNames.filter((one) => methods[one].trainable).map((one) => `"${one}"`);
    throw new LutnnError(
      `${what}: ${title} cannot be ${participle} (${name} is replaced by it); replace the layer with method ${trainable.join(" or ")}`,
    );
  }
}

/** The options on which the outcome of a training depends. */
function trainingOptions({
  signal: _signal,
  checkpoint: _checkpoint,
  resume: _resume,
  log: _log,
  ...options
}: FineTuneOptions): object {
  const { validation } = options;
  return validation ? { ...options, validation: new Named(validation, "the validation data") } : options;
}
