import type { ExampleSource } from "../datasets/examples";
import type { Data } from "../datasets/from";
import { LutnnError } from "../errors";
import { checkIntegerLength } from "../pq/integerCodes";
import { calibrateTargets } from "./calibrateTargets";
import { namedData } from "./knownData";
import { MeasuringConversion } from "./measuring";
import { type CalibrationMethod, methodOf, methods } from "./methods/index";
import type { Student } from "./methods/method";
import type {
  ApplyPlanOptions,
  CalibrateOptions,
  LayerChoices,
  ReplaceOptions,
  ResizeOptions,
} from "./options";
import { listed, Outcome } from "./outcome";
import { choicesOf, type Plan } from "./plan/plan";
import { type Named, recordOf } from "./record";
import { placedCodebooks } from "./sharedCodebooks";
import { type ConversionState, type LookupSizes, replacedLayers } from "./state";
import { disposeStudent } from "./student";
import { checkName, checkSizes } from "./targets";
import { bare, calibrated, replaced, resized, restored, untrained } from "./transitions";

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

/** What decides by which lookup each layer is computed: calibrate, replace, restore, resize, applyPlan. */
export class PlacingConversion extends MeasuringConversion {
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

  protected async calibrateNow(
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

  protected replaceNow(names: readonly string[], options: ReplaceOptions): Outcome {
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
}
