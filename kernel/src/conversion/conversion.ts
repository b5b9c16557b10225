import { randomUUID } from "node:crypto";
import { basename } from "node:path";
import { ErrorAccumulation } from "../charts/errorAccumulation";
import type { ExampleSource } from "../datasets/examples";
import { checkFeeds } from "../datasets/feeds";
import { type Data, examplesOf } from "../datasets/from";
import { InputsOnly } from "../datasets/inputsOnly";
import { LutnnError } from "../errors";
import { isFileError } from "../files/fileError";
import { currentHost, displaySymbol } from "../host/host";
import { type Evaluation, evaluateTask } from "../training/evaluate";
import type { TrainingHistory } from "../training/history";
import { calibrateTargets } from "./calibrateTargets";
import { ConversionCore } from "./core";
import { fileMetadata, workKey } from "./fileMetadata";
import { type FineTuneOptions, fineTuneStudent } from "./fineTune";
import { measureErrors } from "./measureErrors";
import { type CalibrationMethod, methodNames, methodOf, methods } from "./methods/index";
import type { Student } from "./methods/method";
import type {
  CalibrateOptions,
  ConvertAllOptions,
  ErrorAccumulationOptions,
  ReplaceOptions,
} from "./options";
import { listed, Outcome } from "./outcome";
import { withPaddingMask } from "./paddingMask";
import { Samples } from "./samples";
import { checkSave, makeFile, type SaveOptions, writeModelFile } from "./saveFile";
import { makeStages, stageFolders } from "./stages";
import { type Origin, replacedLayers } from "./state";
import { checkName } from "./targets";
import { trainedState } from "./trainedState";
import { calibrated, replaced, restored, untrained } from "./transitions";
import { workFolder } from "./workOfFile";
import { writeConversion } from "./writeConversion";

/**
 * A network on its way to table lookups. The dense network stays untouched and serves as reference and teacher; the
 * converted one is {@link model}. Every verb makes a new state out of the present one, and none is forgotten. Verbs
 * that come while another runs wait for it, in order.
 */
export class Conversion extends ConversionCore {
  private readonly samples = new Samples(this.graph.inputs);

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
      return this.calibrateNow(data, { ...options, method: name }, signal);
    });
  }

  private async calibrateNow(
    data: ExampleSource,
    { method: name, layers, seed = 0 }: CalibrateOptions & { method: CalibrationMethod },
    signal: AbortSignal,
  ): Promise<Outcome> {
    const placed = layers?.filter((one) => this.state.layers[one].replacedBy);
    if (placed && placed.length > 0)
      throw new LutnnError(
        `calibrate: layers that are named must be dense (${listed(placed)} is replaced); call restore("${placed[0]}") first`,
      );
    const method = methods[name];
    const { found, warnings } = await calibrateTargets({
      graph: this.graph,
      targets: this.targets.filter((target) => layers?.includes(target.name) ?? true),
      student: layers && this.state.tuned ? this.student : null,
      state: layers ? this.state : null,
      maker: this.maker,
      method,
      profile: this.profile,
      data,
      seed,
      signal,
    });
    let state = calibrated(layers ? this.state : untrained(this.state), name, found);
    if (!layers)
      for (const one of replacedLayers(state)) state = replaced(state, one, name, this.surroundings);
    this.change(`calibrate by ${method.title}${layers ? `: ${listed(layers)}` : ""}`, state);
    for (const warning of warnings) process.emitWarning(warning, "LutnnWarning");
    return new Outcome(
      `calibrated ${listed([...found.keys()])} by ${method.title} on ${data.size} examples of ${data.name}`,
      warnings,
    );
  }

  /** Puts what was learnt for one layer in place; a layer that was replaced by another method changes to this one. */
  replace(name: string, options: ReplaceOptions = {}): Promise<Outcome> {
    return this.queue.run(`replace ${name}`, options.signal, async () => this.replaceNow([name], options));
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
    const done: string[] = [];
    for (const name of names) {
      checkName(this.graph.name, name, this.names);
      const method = options.method ?? state.lastMethod;
      if (!method || !state.layers[name].calibrations[method])
        throw new LutnnError(
          `replace: ${name} must be calibrated first; call calibrate(data${options.method ? `, { method: "${options.method}" }` : ""})`,
        );
      if (state.layers[name].replacedBy === method) continue;
      state = replaced(state, name, method, this.surroundings);
      done.push(name);
    }
    if (done.length === 0) return new Outcome(`${listed(names)} already replaced; ${this.replacedCount}`);
    this.change(`replace ${done.length === this.names.length ? "all layers" : listed(done)}`, state);
    return new Outcome(`replaced ${listed(done)}; ${this.replacedCount}`);
  }

  /**
   * Gives a layer back its dense weights, and the batch norms behind it theirs. Once no layer is replaced, every weight
   * is the dense network's again, whatever was trained.
   */
  restore(name: string): Promise<Outcome> {
    return this.queue.run(`restore ${name}`, undefined, async () => this.restoreNow([name]));
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
    this.change(`restore ${listed(done)}`, state);
    return new Outcome(`restored ${listed(done)}; ${this.replacedCount}`);
  }

  /** Metric and loss of the network as it is when its turn comes. */
  async evaluate(given: Data, options: { signal?: AbortSignal } = {}): Promise<Evaluation> {
    return this.queue.run("evaluate", options.signal, async (signal) => {
      const data = await this.examples("evaluate", given, signal);
      const evaluation = await evaluateTask(this.model, this.task, data, { signal });
      const { name, unit, value } = evaluation.metric;
      this.history.measure({ metric: name, unit, value, data: data.name, examples: evaluation.size });
      return evaluation;
    });
  }

  /**
   * Error of every replaceable layer's output against the dense network's, alone and accumulated, beside the metric
   * with the network converted up to that layer. Use held-out data.
   */
  async errorAccumulation(given: Data, options: ErrorAccumulationOptions = {}): Promise<ErrorAccumulation> {
    return this.queue.run("error accumulation", options.signal, async (signal) => {
      const data = await this.examples("errorAccumulation", given, signal);
      const host = options.live ? currentHost() : undefined;
      const displayId = randomUUID();
      const dense = await evaluateTask(this.graph.model, this.task, data, { signal });
      const report = await measureErrors({
        graph: this.graph,
        converted: this.student?.layerOf ?? ((node) => node.layer),
        targets: this.targets,
        replaced: replacedLayers(this.state),
        task: this.task,
        data,
        denseMetric: dense.metric.value,
        name: options.name ?? this.stage,
        signal,
        onReport: (report) =>
          host?.display(new ErrorAccumulation(report)[displaySymbol](), {
            displayId,
            update: report.sequence > 1,
          }),
      });
      return new ErrorAccumulation(report);
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
      return this.fineTuneNow(data, options, signal);
    });
  }

  private async fineTuneNow(
    data: ExampleSource,
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
      graph: this.graph,
      student,
      task: this.task,
      data,
      settings,
      options: { ...options, signal },
    };
    const origin = { data: data.name, examples: data.size, seed: options.seed ?? 0 };
    try {
      const history = await fineTuneStudent(run);
      this.keepTrained(student, "fine-tune", origin);
      return history;
    } catch (error) {
      if (signal.aborted || (hasBegun && isFileError(error)))
        this.keepTrained(student, "fine-tune, stopped", origin);
      else this.discard();
      throw error;
    }
  }

  private keepTrained(student: Student, label: string, origin: Origin): void {
    const state = trainedState(this.state, student, origin, this.surroundings);
    this.keep(label, student, state);
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
        await this.calibrateNow(some, { method, layers, seed: options.seed }, signal);
        this.replaceNow(layers, {});
        histories.push(await this.fineTuneNow(data, { ...training, ...folders, epochs }, signal));
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

  /** How the network as it is now came about. */
  private get stage(): string {
    const { state } = this;
    const placed = replacedLayers(state);
    if (placed.length === 0) return "dense";
    if (state.tuned) return "fine-tuned";
    return [...new Set(placed.map((name) => methods[state.layers[name].replacedBy!].title))].join(" + ");
  }

  /** The data as they are read, once they are known to fit the network and its task. */
  private async examples(what: string, given: Data, signal: AbortSignal): Promise<ExampleSource> {
    const data = await examplesOf(given);
    checkFeeds(what, this.graph.inputs, data);
    this.task = this.task.checkTarget(what, data.target, data.name);
    return this.seen(what, data, signal);
  }

  /** The same for a verb that reads no targets: these tell the task where they fit, and may be whatever they are. */
  private async inputsOf(what: string, given: Data, signal: AbortSignal): Promise<ExampleSource> {
    const data = new InputsOnly(await examplesOf(given));
    checkFeeds(what, this.graph.inputs, data);
    try {
      this.task = this.task.checkTarget(what, data.target, data.name);
    } catch (error) {
      if (!(error instanceof LutnnError)) throw error;
    }
    return this.seen(what, data, signal);
  }

  private async seen(what: string, data: ExampleSource, signal: AbortSignal): Promise<ExampleSource> {
    await data.checkValues(what, signal);
    await this.samples.remember(data);
    return withPaddingMask(this.graph, data);
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
