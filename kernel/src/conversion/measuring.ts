import { randomUUID } from "node:crypto";
import { ErrorAccumulation } from "../charts/errorAccumulation";
import type { ExampleSource } from "../datasets/examples";
import { checkFeeds } from "../datasets/feeds";
import { type Data, examplesOf } from "../datasets/from";
import { InputsOnly } from "../datasets/inputsOnly";
import { LutnnError } from "../errors";
import { currentHost, displaySymbol } from "../host/host";
import type { LayerTimings } from "../inference/layerTimings";
import { timeLayers } from "../inference/timeLayers";
import type { LayerDetail } from "../report/conversionMessages";
import type { ErrorAccumulationReport } from "../report/errorAccumulation";
import { type Evaluation, evaluateTask } from "../training/evaluate";
import { ConversionCore } from "./core";
import { Figures } from "./figures";
import { DataMemory, type DataRole, type KnownData } from "./knownData";
import { layerDetail } from "./layerDetail";
import { LayerMeasurement } from "./layerMeasurement";
import { measureErrors } from "./measureErrors";
import { measureLayers } from "./measureLayers";
import { methods } from "./methods/index";
import { ContentKeys } from "./networkKeys";
import type { ErrorAccumulationOptions, LayerTimesOptions, MeasureOptions } from "./options";
import { withPaddingMask } from "./paddingMask";
import { Samples } from "./samples";
import { type ConversionState, placedCalibration, replacedLayers } from "./state";
import { disposeStudent } from "./student";
import { checkName } from "./targets";
import { timeNetwork } from "./timeNetwork";
import { allReplaced } from "./transitions";

/** What a conversion can be asked: nothing that makes another state. */
export class MeasuringConversion extends ConversionCore {
  protected readonly samples = new Samples(this.graph.inputs);
  private readonly memory = new DataMemory();
  /** What has been measured, by state. */
  readonly figures = new Figures(
    new ContentKeys((id) => this.history.entry("figures", id).state, this.surroundings),
  );

  protected override lost(): void {
    super.lost();
    this.figures.setRunningErrors(null);
    this.announce({ kind: "errors" });
  }

  /** The data that verbs were given, or {@link useData} has set; what a panel's commands take. */
  get data(): Readonly<Record<DataRole, KnownData | null>> {
    return { train: this.memory.get("train"), validation: this.memory.get("validation") };
  }

  /**
   * Says from which data commands learn, and on which they measure, that are given none: a panel's. Without it they are those
   * that calibrate or fineTune, and evaluate or errorAccumulation, were given last.
   */
  async useData({ train, validation }: { train?: Data; validation?: Data }): Promise<void> {
    for (const [role, given] of [
      ["train", train],
      ["validation", validation],
    ] as const) {
      if (given === undefined) continue;
      const data = await examplesOf(given);
      checkFeeds("panel", this.graph.inputs, data);
      if (role === "validation") this.task = this.task.checkTarget("panel", data.target, data.name);
      const isOther = await this.memory.set(role, given);
      if (isOther && role === "validation") this.figures.clear();
    }
    this.announce({ kind: "data" });
    this.announce({ kind: "figures" });
  }

  /** A verb has been given data. @returns whether what it measures on them is to be kept */
  protected note(role: DataRole, given: Data, { name, size }: ExampleSource): boolean {
    const { isRole, isOther } = this.memory.note(role, { given, name, size });
    if (isOther && role === "validation") this.figures.clear();
    if (isOther) this.announce({ kind: "data" });
    return isRole;
  }

  /** Metric and loss of the network as it is when its turn comes. */
  async evaluate(given: Data, options: MeasureOptions = {}): Promise<Evaluation> {
    return this.queue.run("evaluate", options.signal, async (signal) => {
      const data = await this.examples("evaluate", given, signal);
      const isKept = this.note("validation", given, data);
      const state = this.history.current.id;
      const evaluation = await evaluateTask(this.model, this.task, data, { signal });
      const { name, unit, value } = evaluation.metric;
      this.history.measure({ metric: name, unit, value, data: data.name, examples: evaluation.size });
      if (isKept) {
        this.figures.setMetric(state, evaluation.metric.value);
        if (replacedLayers(this.state).length === 0) this.figures.denseMetric = evaluation.metric.value;
        this.announce({ kind: "figures" });
      }
      return evaluation;
    });
  }

  /** The same of the dense network, whatever is replaced. */
  async evaluateDense(given: Data, options: MeasureOptions = {}): Promise<Evaluation> {
    return this.queue.run("evaluate the dense network", options.signal, async (signal) => {
      const data = await this.examples("evaluateDense", given, signal);
      const isKept = this.note("validation", given, data);
      const evaluation = await evaluateTask(this.graph.model, this.task, data, { signal });
      if (isKept) {
        this.figures.denseMetric = evaluation.metric.value;
        this.announce({ kind: "figures" });
      }
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
      const isKept = this.note("validation", given, data);
      const state = this.history.current.id;
      const host = options.live ? currentHost() : undefined;
      const displayId = randomUUID();
      const dense = await evaluateTask(this.graph.model, this.task, data, { signal });
      const show = (report: ErrorAccumulationReport | null) => {
        if (!isKept) return;
        this.figures.setRunningErrors(report && { state, report });
        this.announce({ kind: "errors" });
      };
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
        onReport: (report) => {
          show(report);
          host?.display(new ErrorAccumulation(report)[displaySymbol](), {
            displayId,
            update: report.sequence > 1,
          });
        },
      }).finally(() => show(null));
      if (isKept) {
        this.figures.setErrors(state, report);
        this.announce({ kind: "figures" });
      }
      return new ErrorAccumulation(report);
    });
  }

  /**
   * For each calibrated layer the metric with only this layer replaced, and with all calibrated layers but this one. Layers
   * that are not replaced count with what the last calibration has learnt. Use held-out data.
   */
  async layerMeasures(given: Data, options: MeasureOptions = {}): Promise<LayerMeasurement> {
    return this.queue.run("measure layers", options.signal, async (signal) => {
      const whole = this.wholeState("layerMeasures");
      const data = await this.examples("layerMeasures", given, signal);
      const isKept = this.note("validation", given, data);
      const { id } = this.history.current;
      const converted = this.maker.apart(whole);
      try {
        const { effects, examples } = await measureLayers({
          graph: this.graph,
          targets: this.targets.filter(({ name }) => whole.layers[name].replacedBy),
          whole,
          converted,
          surroundings: this.surroundings,
          task: this.task,
          data,
          signal,
        });
        if (isKept) {
          this.figures.setEffects(id, effects);
          this.announce({ kind: "figures" });
        }
        return new LayerMeasurement(this.graph.name, id, effects, this.task.metric, data.name, examples);
      } finally {
        disposeStudent(this.graph, converted);
      }
    });
  }

  /**
   * Times each calibrated layer's lookup in the native backend against the dense layer in ONNX Runtime, on an example as
   * recorded inside the network with all of them replaced; and whole networks, dense and as it is now. One thread.
   */
  async layerTimes(given: Data, options: LayerTimesOptions = {}): Promise<LayerTimings> {
    return this.queue.run("time layers", options.signal, async (signal) => {
      const whole = this.wholeState("layerTimes");
      const data = await this.inputsOf("layerTimes", given, signal);
      const { id } = this.history.current;
      const converted = this.maker.apart(whole);
      try {
        const { rounds } = options;
        const timings = await timeLayers(this.graph.model, converted.model, data, { rounds, signal });
        this.figures.setTimes(timings);
        this.figures.setNetworkTime(
          "dense",
          await timeNetwork(this.graph.model, this.samples, { rounds, signal }),
        );
        if (replacedLayers(this.state).length > 0)
          this.figures.setNetworkTime(id, await timeNetwork(this.model, this.samples, { rounds, signal }));
        this.announce({ kind: "figures" });
        return timings;
      } finally {
        disposeStudent(this.graph, converted);
      }
    });
  }

  /**
   * What is inside one calibrated layer, on rows of what it receives in the network as it is now: how often each centroid of
   * each codebook is used, the error of each codebook, and how inputs and centroids' values are distributed.
   */
  async layerDetail(name: string, given: Data, options: MeasureOptions = {}): Promise<LayerDetail> {
    checkName(this.graph.name, name, this.names);
    return this.queue.run(`look into ${name}`, options.signal, async (signal) => {
      const whole = this.wholeState("layerDetail", name);
      const data = await this.inputsOf("layerDetail", given, signal);
      const { replacedBy } = whole.layers[name];
      const { arrays, trained } = placedCalibration(whole, name)!;
      return layerDetail({
        graph: this.graph,
        layerOf: this.student?.layerOf ?? ((node) => node.layer),
        target: this.targets.find((target) => target.name === name)!,
        title: methods[replacedBy!].title,
        arrays: trained?.arrays ?? arrays,
        state: this.history.current.id,
        profile: this.profile,
        data,
        signal,
      });
    });
  }

  /** The present state with every calibrated layer replaced, by what it was calibrated with last. */
  private wholeState(what: string, needed?: string): ConversionState {
    const state = allReplaced(this.state, this.surroundings);
    const placed = replacedLayers(state);
    if (placed.length === 0 || (needed && !placed.includes(needed)))
      throw new LutnnError(
        `${what}: ${needed ?? "at least one layer"} must be calibrated first (${needed ? "it is not" : "none is"}); call calibrate(data)`,
      );
    return state;
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
  protected async examples(what: string, given: Data, signal: AbortSignal): Promise<ExampleSource> {
    const data = await examplesOf(given);
    checkFeeds(what, this.graph.inputs, data);
    this.task = this.task.checkTarget(what, data.target, data.name);
    return this.seen(what, data, signal);
  }

  /** The same for a verb that reads no targets: these tell the task where they fit, and may be whatever they are. */
  protected async inputsOf(what: string, given: Data, signal: AbortSignal): Promise<ExampleSource> {
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
}
