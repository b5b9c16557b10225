import { basename } from "node:path";
import type { ExampleSource } from "../datasets/examples";
import type { Data } from "../datasets/from";
import { LutnnError } from "../errors";
import { isFileError } from "../files/fileError";
import { checkIntegerLength } from "../pq/integerCodes";
import type { CurvePoint } from "../training/curve";
import type { TrainingHistory } from "../training/history";
import { calibrateTargets } from "./calibrateTargets";
import { fileMetadata, workKey } from "./fileMetadata";
import { type FineTuneOptions, fineTuneStudent } from "./fineTune";
import { namedData } from "./knownData";
import { MeasuringConversion } from "./measuring";
import { type CalibrationMethod, methodNames, methodOf, methods } from "./methods/index";
import type { Student } from "./methods/method";
import type {
  ApplyPlanOptions,
  CalibrateOptions,
  ConvertAllOptions,
  LayerChoices,
  ReplaceOptions,
  ResizeOptions,
} from "./options";
import { listed, Outcome } from "./outcome";
import { choicesOf, type Plan } from "./plan/plan";
import { Named, recordOf, type VerbRecord } from "./record";
import { checkSave, makeFile, type SaveOptions, writeModelFile } from "./saveFile";
import { placedCodebooks } from "./sharedCodebooks";
import { makeStages, stageFolders } from "./stages";
import { type ConversionState, type LookupSizes, type Origin, replacedLayers } from "./state";
import { disposeStudent } from "./student";
import { checkName, checkSizes } from "./targets";
import { trainedState } from "./trainedState";
import { bare, calibrated, replaced, resized, restored, untrained } from "./transitions";
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
export class Conversion extends MeasuringConversion {
  private curve: TrainingProgress | null = null;

  /**
   * Learns a lookup for every layer that can be replaced, from the inputs of some training examples (the paper takes
   * 1,024); their targets are not read. Starts from the dense network: what fine-tuning had learnt is dropped; layers that are replaced take their new lookups.
   * With `layers`, learns only those and keeps everything else, for networks that are converted and trained by and by.
   */
  async calibrate(given: Data, options: CalibrateOptions = {}): Promise<Outcome> {
    const name = options.method ?? this.profile.calibrate.method;
    const { title } = methodOf("calibrate", name);
    for (const layer of options.layers ?? []) checkName(this.graph.name, layer, this.names);
    return this.queue.run(`calibrate by ${title}`, options.signal, async (signal) => {
      const data = await this.inputsOf("calibrate", given, signal);
      this.note("train", given, data);
      return this.calibrateNow(data, namedData(given, data), { ...options, method: name }, signal);
    });
  }

  private async calibrateNow(
    data: ExampleSource,
    named: Named,
    { method: name, layers, seed = 0 }: CalibrateOptions & { method: CalibrationMethod },
    signal: AbortSignal,
  ): Promise<Outcome> {
    const placed = layers?.filter((one) => this.state.layers[one].replacedBy);
    if (placed && placed.length > 0)
      throw new LutnnError(
        `calibrate: layers that are named must be dense (${listed(placed)} is replaced); call restore("${placed[0]}") first`,
      );
    const learning = { data, method: name, layers: layers ?? this.names, seed };
    const { found, warnings } = await this.learn(
      layers ? this.state : bare(this.state),
      layers && this.state.tuned ? this.student : null,
      learning,
      signal,
    );
    let state = calibrated(layers ? this.state : untrained(this.state), name, found);
    if (!layers)
      for (const one of replacedLayers(state)) state = replaced(state, one, name, this.surroundings);
    const { title } = methods[name];
    this.change(
      `calibrate by ${title}${layers ? `: ${listed(layers)}` : ""}`,
      state,
      recordOf("calibrate", [named, { method: name, layers, seed }]),
    );
    return new Outcome(
      `calibrated ${listed([...found.keys()])} by ${title} on ${data.size} examples of ${data.name}`,
      warnings,
    );
  }

  /** What a method learns of some layers, which are dense in a state; warnings are issued. */
  private async learn(
    state: ConversionState,
    student: Student | null,
    { data, method, layers, seed }: Learning,
    signal: AbortSignal,
  ): ReturnType<typeof calibrateTargets> {
    const learnt = await calibrateTargets({
      graph: this.graph,
      targets: this.targetsIn(state).filter(({ name }) => layers.includes(name)),
      student,
      state,
      codebooks: this.profile.sharedCodebooks ? placedCodebooks(state, this.targetsIn(state)) : new Map(),
      maker: this.maker,
      method: methods[method],
      profile: this.profile,
      data,
      seed,
      signal,
    });
    for (const warning of learnt.warnings) process.emitWarning(warning, "LutnnWarning");
    return learnt;
  }

  /** Puts what was learnt for some layers in place; a layer that was replaced by another method changes to this one. */
  replace(names: string | readonly string[], options: ReplaceOptions = {}): Promise<Outcome> {
    const all = typeof names === "string" ? [names] : [...names];
    return this.queue.run(`replace ${listed(all)}`, options.signal, async () =>
      this.replaceNow(all, options),
    );
  }

  /** Puts what was learnt for all layers in place. */
  replaceAll(options: ReplaceOptions = {}): Promise<Outcome> {
    return this.queue.run("replace all layers", options.signal, async () =>
      this.replaceNow(this.names, options),
    );
  }

  private replaceNow(names: readonly string[], options: ReplaceOptions): Outcome {
    if (options.method) methodOf("replace", options.method);
    let { state } = this;
    const { lastMethod } = state;
    const done: string[] = [];
    for (const name of names) {
      checkName(this.graph.name, name, this.names);
      const method = options.method ?? lastMethod;
      if (!method || !state.layers[name].calibrations[method])
        throw new LutnnError(
          `replace: ${name} must be calibrated first; call calibrate(data${options.method ? `, { method: "${options.method}" }` : ""})`,
        );
      if (state.layers[name].replacedBy === method) continue;
      state = replaced(state, name, method, this.surroundings);
      done.push(name);
    }
    if (done.length === 0) return new Outcome(`${listed(names)} already replaced; ${this.replacedCount}`);
    const isAll = done.length === this.names.length;
    const method = options.method ?? lastMethod;
    this.change(
      `replace ${isAll ? "all layers" : listed(done)}`,
      state,
      isAll ? recordOf("replaceAll", [{ method }]) : recordOf("replace", [oneOrAll(done), { method }]),
    );
    return new Outcome(`replaced ${listed(done)}; ${this.replacedCount}`);
  }

  /**
   * Gives some layers back their dense weights, and the batch norms behind them theirs. Once no layer is replaced, every
   * weight is the dense network's again, whatever was trained.
   */
  restore(names: string | readonly string[]): Promise<Outcome> {
    const all = typeof names === "string" ? [names] : [...names];
    return this.queue.run(`restore ${listed(all)}`, undefined, async () => this.restoreNow(all));
  }

  /** Gives every layer back its dense weights. */
  restoreAll(): Promise<Outcome> {
    return this.queue.run("restore all layers", undefined, async () =>
      this.restoreNow(replacedLayers(this.state)),
    );
  }

  private restoreNow(names: readonly string[]): Outcome {
    for (const name of names) checkName(this.graph.name, name, this.names);
    const done = names.filter((name) => this.state.layers[name].replacedBy);
    if (done.length === 0)
      return new Outcome(
        `${names.length > 0 ? `${listed(names)} already dense` : "every layer already dense"}`,
      );
    const state = done.reduce((before, name) => restored(before, name, this.surroundings), this.state);
    this.change(`restore ${listed(done)}`, state, recordOf("restore", [oneOrAll(done)]));
    return new Outcome(`restored ${listed(done)}; ${this.replacedCount}`);
  }

  /**
   * Gives a layer's lookup another K or V. What was learnt for the sizes before stays in the states before; a layer that is
   * replaced learns its lookup anew, by the same method and on the network as it is now, where data are known, and becomes
   * dense where none are.
   */
  resize(name: string, options: ResizeOptions): Promise<Outcome> {
    checkName(this.graph.name, name, this.names);
    return this.queue.run(`resize ${name}`, options.signal, (signal) =>
      this.resizeNow(name, options, signal),
    );
  }

  private async resizeNow(name: string, options: ResizeOptions, signal: AbortSignal): Promise<Outcome> {
    const target = this.targets.find((one) => one.name === name)!;
    const { numCentroids = target.numCentroids, subvectorLength = target.subvectorLength } = options;
    this.checkLookup("resize", name, { numCentroids, subvectorLength });
    const sizes = { numCentroids, subvectorLength };
    const text = `K = ${numCentroids}, V = ${subvectorLength}`;
    if (numCentroids === target.numCentroids && subvectorLength === target.subvectorLength)
      return new Outcome(`${name} already has ${text}; ${this.replacedCount}`);
    const label = `resize ${name} to ${text}`;
    const method = this.state.layers[name].replacedBy;
    const state = resized(this.state, name, sizes, this.surroundings);
    if (!method) {
      this.change(label, state, recordOf("resize", [name, sizes]));
      return new Outcome(`${name} has ${text} and is not calibrated; ${this.replacedCount}`);
    }
    const given = options.data ?? this.data.train?.given;
    if (!given) {
      this.change(label, state, recordOf("resize", [name, sizes]));
      return new Outcome(
        `${name} has ${text} and is dense, since no data to calibrate from are known; ${this.replacedCount}; call calibrate(data, { layers: ["${name}"] }) and replace("${name}")`,
      );
    }
    const data = await this.inputsOf("resize", given, signal);
    this.note("train", given, data);
    const seed = options.seed ?? 0;
    // The reference is the trained network with the layer dense in it.
    const reference = state.tuned ? this.maker.apart(state) : null;
    try {
      const learning = { data, method, layers: [name], seed };
      const { found, warnings } = await this.learn(state, reference, learning, signal);
      const { lastMethod } = state;
      const next = replaced(
        { ...calibrated(state, method, found), lastMethod },
        name,
        method,
        this.surroundings,
      );
      this.change(label, next, recordOf("resize", [name, { ...sizes, data: namedData(given, data), seed }]));
      return new Outcome(
        `${name} has ${text} and was calibrated anew by ${methods[method].title} on ${data.size} examples of ${data.name}; ${this.replacedCount}`,
        warnings,
      );
    } finally {
      if (reference) disposeStudent(this.graph, reference);
    }
  }

  private checkLookup(what: string, name: string, sizes: LookupSizes): void {
    const { operator } = this.targets.find((one) => one.name === name)!;
    checkSizes(what, name, operator, sizes);
    if (this.profile.codes === "int8") checkIntegerLength(`${what}: ${name}`, sizes.subvectorLength);
  }

  /**
   * Replaces the layers that a plan chose, with its K and V, learnt from the dense network; all others become dense. What
   * was trained is dropped. One state.
   * @param plan what `lutnn.plan` gave, or K and V by layer
   */
  async applyPlan(plan: Plan | LayerChoices, given: Data, options: ApplyPlanOptions = {}): Promise<Outcome> {
    const choices = choicesOf(plan);
    const { method = this.profile.calibrate.method, seed = 0 } = options;
    const { title } = methodOf("applyPlan", method);
    for (const name of Object.keys(choices)) checkName(this.graph.name, name, this.names);
    const chosen = this.names.filter((name) => choices[name]);
    return this.queue.run("apply a plan", options.signal, async (signal) => {
      for (const name of chosen) this.checkLookup("applyPlan", name, choices[name]!);
      const data = await this.inputsOf("applyPlan", given, signal);
      this.note("train", given, data);
      let state = untrained(this.state);
      for (const name of replacedLayers(state)) state = restored(state, name, this.surroundings);
      for (const name of chosen) state = resized(state, name, choices[name]!, this.surroundings);
      const { found, warnings } =
        chosen.length > 0
          ? await this.learn(bare(state), null, { data, method, layers: chosen, seed }, signal)
          : { found: new Map(), warnings: [] };
      state = calibrated(state, method, found);
      for (const name of chosen) state = replaced(state, name, method, this.surroundings);
      const sizes = Object.fromEntries(chosen.map((name) => [name, choices[name]]));
      this.change(
        `apply a plan: ${chosen.length} of ${this.names.length} layers`,
        state,
        recordOf("applyPlan", [sizes, namedData(given, data), { method, seed }]),
      );
      return new Outcome(
        `applied a plan: ${chosen.length > 0 ? `${listed(chosen)} by ${title}` : "every layer dense"}; ${this.replacedCount}`,
        warnings,
      );
    });
  }

  /**
   * Trains the converted network (soft-PQ): centroids, tables or weights, temperatures, batch norms and the layers that
   * stayed dense. Returns the figures of each epoch. An interrupt, or a disk that takes no checkpoint or log any more,
   * leaves it as of the last whole step; a run that fails otherwise leaves it as it was.
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
    let hasBegun = false;
    const run = {
      onStep: () => {
        hasBegun = true;
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
    const made = (unwritten?: string) => recordOf("fineTune", [named, trainingOptions(options)], unwritten);
    this.showCurve({ points: [], done: false });
    try {
      const history = await fineTuneStudent(run);
      this.keepTrained(student, "fine-tune", origin, made());
      return history;
    } catch (error) {
      if (signal.aborted || (hasBegun && isFileError(error)))
        this.keepTrained(
          student,
          "fine-tune, stopped",
          origin,
          made("the training was stopped in the middle, which no code does again at the same step"),
        );
      else this.discard();
      throw error;
    } finally {
      this.showCurve({ points: this.training?.points ?? [], done: true });
    }
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
   * weights and nothing that only training needs: with `reopen` the work is stored beside it, for `openConversion(path)`.
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
      const { bytes, checked } = await makeFile(this.model, { outputNames, metadata }, this.samples, {
        ...options,
        signal,
      });
      const stored = work ? `, the work in ${await this.storeNow(work, signal)}` : "";
      const written = await writeModelFile(path, bytes, options);
      return new Outcome(
        `saved ${path}: ${written}, ${this.replacedCount}, ${checked}${stored}`,
        replacedLayers(this.state).length === 0 ? ["no layer is replaced, so this is the dense network"] : [],
      );
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

/** What is to be learnt, and from what. */
interface Learning {
  data: ExampleSource;
  method: CalibrationMethod;
  layers: readonly string[];
  seed: number;
}

/** One name alone, or a list. */
const oneOrAll = (names: readonly string[]): string | readonly string[] =>
  names.length === 1 ? names[0] : names;

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
