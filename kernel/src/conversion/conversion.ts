import { randomUUID } from "node:crypto";
import type * as tf from "@tensorflow/tfjs-node";
import { ErrorAccumulation } from "../charts/errorAccumulation";
import type { Dataset } from "../datasets/dataset";
import { LutnnError } from "../errors";
import { writeFileWhole } from "../files/writeFile";
import { currentHost, displaySymbol } from "../host/host";
import { cellSignal } from "../host/signal";
import { exportOnnx } from "../layers/exportOnnx";
import { asFunctional } from "../layers/graph";
import { linearOperator } from "../layers/linearOperator";
import type { LookupConfig, LookupLayer } from "../layers/lookupLayer";
import type { MaddnessLayer } from "../layers/maddnessLayer";
import { type Replacement, rebuildWithLookups } from "../layers/rebuild";
import { type Evaluation, evaluate } from "../training/evaluate";
import type { TrainingHistory } from "../training/history";
import {
  type Calibrated,
  type CalibrationRun,
  calibrateKMeans,
  calibrateLeastSquares,
  calibrateMaddness,
} from "./calibrate";
import { type FineTuneOptions, fineTuneStudent } from "./fineTune";
import { LayerTable, layerInfo } from "./layerTable";
import { measureErrors } from "./measureErrors";
import { type Profile, profileOf } from "./profile";
import { makeStages, stageFolders } from "./stages";
import { loadWeights, type StoredWeights, storeWeights } from "./storedWeights";
import { checkName, chooseTargets, type Target, type TargetOptions } from "./target";

export interface ConvertOptions extends TargetOptions {
  /** `paper`: as published; `plus` (default): ours; or a profile of one's own, made from {@link profiles}. */
  profile?: "paper" | "plus" | Profile;
}

/**
 * How a layer's replacement is learnt. `kmeans`, as published: centroids from the dense network's activations, table =
 * P·W. `leastSquares`: layer by layer on converted activations, the table fitted to the dense layer's output.
 * `maddness`: the published algorithm with exact sums, to compare with; `maddnessFast`: the quick variant that the
 * LUT-NN paper compares with. Maddness can be neither trained nor saved.
 */
export type CalibrationMethod = "kmeans" | "leastSquares" | "maddness" | "maddnessFast";

const methodName: Record<CalibrationMethod, string> = {
  kmeans: "k-means",
  leastSquares: "least squares",
  maddness: "Maddness",
  maddnessFast: "Maddness, fast form",
};

export interface CalibrateOptions {
  /** Default: the profile's. */
  method?: CalibrationMethod;
  /**
   * Only these layers, on the network as it is now: what is replaced and trained stays. None of them may be replaced.
   * Default: all, from the dense network.
   */
  layers?: string[];
  /** Default 0. */
  seed?: number;
  signal?: AbortSignal;
}

export interface ReplaceOptions {
  /** Which of the calibrations. Default: that of the last `calibrate`. */
  method?: CalibrationMethod;
}

export type ConvertAllOptions = FineTuneOptions & {
  /** Training images that each calibration takes. Default 4096. */
  calibrationImages?: number;
};

export interface ErrorAccumulationOptions {
  /** Of the series in the chart. Default: how the layers were calibrated or trained. */
  name?: string;
  /** Show the chart in the notebook while it is measured. Default false: the result shows itself. */
  live?: boolean;
  signal?: AbortSignal;
}

/**
 * A network on its way to table lookups. The dense network stays untouched and serves as reference and teacher; the
 * converted one is {@link model}.
 */
export class Conversion {
  private readonly dense: tf.LayersModel;
  private readonly profile: Profile;
  private readonly targets: Target[];
  /** By method and layer name. */
  private readonly calibrations = new Map<CalibrationMethod, Map<string, Calibrated>>();
  private lastMethod?: CalibrationMethod;
  private readonly replaced = new Map<string, CalibrationMethod>();
  /** Weights of other layers where they differ from the dense network's: batch norms, and what fine-tuning changed. */
  private readonly changed = new Map<string, StoredWeights>();
  private student: tf.LayersModel | null = null;
  /** Whether the network as it is now was fine-tuned. */
  private tuned = false;
  private running: string | null = null;

  /** Use {@link convert}. */
  constructor(model: tf.LayersModel, options: ConvertOptions) {
    this.profile = profileOf(options.profile);
    this.dense = asFunctional(model);
    this.targets = chooseTargets(this.dense, options);
  }

  /** The layers that can be replaced, with K, V, C, costs and state: shows itself as a table. */
  get layers(): LayerTable {
    const rows = this.targets.map((target) =>
      layerInfo(
        target,
        this.replaced.has(target.name)
          ? "replaced"
          : [...this.calibrations.values()].some((found) => found.has(target.name))
            ? "calibrated"
            : "dense",
      ),
    );
    return new LayerTable(this.dense.name, rows);
  }

  /**
   * The network with the replaced layers in place; the dense network itself while none is. It belongs to the
   * conversion: after the next replace, restore or calibrate it is disposed and another one is here.
   */
  get model(): tf.LayersModel {
    return this.student ?? this.dense;
  }

  /** The dense network. */
  get original(): tf.LayersModel {
    return this.dense;
  }

  /**
   * Learns a lookup for every layer that can be replaced, from some training images (the paper takes 1,024). Starts
   * from the dense network: what fine-tuning had learnt is dropped; layers that are replaced take their new lookups.
   * With `layers`, learns only those and keeps everything else, for networks that are converted and trained by and by.
   */
  async calibrate(data: Dataset, options: CalibrateOptions = {}): Promise<void> {
    const method = options.method ?? this.profile.calibrate.method;
    checkMethod("calibrate", method);
    this.checkData("calibrate", data);
    const { layers } = options;
    for (const name of layers ?? []) {
      checkName(this.dense.name, name, this.layers.names);
      if (this.replaced.has(name))
        throw new LutnnError(
          `calibrate: layers that are named must be dense (${name} is replaced); call restore("${name}") first`,
        );
    }
    await this.exclusively("calibrate", async () => {
      const signal = cellSignal(options.signal);
      const model = layers && this.tuned ? this.model : this.dense;
      const targets = this.targets
        .filter(({ name }) => layers?.includes(name) ?? true)
        .map((target) =>
          model === this.dense
            ? target
            : { ...target, operator: linearOperator(model.getLayer(target.name)) },
        );
      const run: CalibrationRun = {
        model,
        targets,
        data,
        seed: options.seed ?? 0,
        profile: this.profile,
        signal,
      };
      const found = await this.learn(method, run, layers !== undefined);
      if (layers)
        this.calibrations.set(method, new Map([...(this.calibrations.get(method) ?? []), ...found]));
      else {
        this.forgetTraining();
        this.calibrations.set(method, found);
        for (const name of this.replaced.keys()) this.put(name, method);
        await this.rebuild();
      }
      this.lastMethod = method;
    });
  }

  private async learn(
    method: CalibrationMethod,
    run: CalibrationRun,
    keepReplaced: boolean,
  ): Promise<Map<string, Calibrated>> {
    if (method === "kmeans") return calibrateKMeans(run);
    if (method !== "leastSquares") return calibrateMaddness(run, method === "maddness" ? "true" : "fast");
    const student = await this.build(
      run.targets.map(({ name }) => name),
      keepReplaced,
    );
    try {
      return await calibrateLeastSquares(run, student);
    } finally {
      student.dispose();
    }
  }

  /** Puts what was learnt for one layer in place; a layer that was replaced by another method changes to this one. */
  async replace(name: string, options: ReplaceOptions = {}): Promise<void> {
    await this.exclusively("replace", () => this.replaceNames([name], options));
  }

  /** Puts what was learnt for all layers in place. */
  async replaceAll(options: ReplaceOptions = {}): Promise<void> {
    await this.exclusively("replaceAll", () => this.replaceNames(this.layers.names, options));
  }

  private async replaceNames(names: string[], options: ReplaceOptions): Promise<void> {
    if (options.method) checkMethod("replace", options.method);
    for (const name of names) {
      checkName(this.dense.name, name, this.layers.names);
      const method = options.method ?? this.lastMethod;
      if (!method || !this.calibrations.get(method)?.has(name))
        throw new LutnnError(
          `replace: ${name} must be calibrated first; call calibrate(data${options.method ? `, { method: "${options.method}" }` : ""})`,
        );
      if (this.replaced.get(name) !== method) this.put(name, method);
    }
    await this.rebuild();
  }

  /**
   * Gives a layer back its dense weights, and the batch norms behind it theirs. Once no layer is replaced, every weight
   * is the dense network's again, whatever was trained.
   */
  async restore(name: string): Promise<void> {
    await this.exclusively("restore", () => this.restoreNames([name]));
  }

  /** Gives every layer back its dense weights. */
  async restoreAll(): Promise<void> {
    await this.exclusively("restoreAll", () => this.restoreNames([...this.replaced.keys()]));
  }

  private async restoreNames(names: string[]): Promise<void> {
    for (const name of names) {
      checkName(this.dense.name, name, this.layers.names);
      this.forgetNorms(name);
      this.replaced.delete(name);
    }
    if (this.replaced.size === 0) {
      this.changed.clear();
      this.tuned = false;
    }
    await this.rebuild();
  }

  /** Accuracy and loss of the network as it is now. */
  async evaluate(data: Dataset, options: { signal?: AbortSignal } = {}): Promise<Evaluation> {
    this.checkData("evaluate", data);
    return evaluate(this.model, data, options);
  }

  /**
   * Error of every replaceable layer's output against the dense network's, alone and accumulated, beside the accuracy
   * with the network converted up to that layer. Use held-out data.
   */
  async errorAccumulation(data: Dataset, options: ErrorAccumulationOptions = {}): Promise<ErrorAccumulation> {
    this.checkData("errorAccumulation", data);
    return this.exclusively("errorAccumulation", async () => {
      const host = options.live ? currentHost() : undefined;
      const displayId = randomUUID();
      const report = await measureErrors({
        model: this.dense,
        student: this.model,
        targets: this.targets,
        data,
        name: options.name ?? this.stage,
        signal: cellSignal(options.signal),
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
   * stayed dense. Returns the figures of each epoch. An interrupt leaves it as of the last whole step.
   */
  async fineTune(data: Dataset, options: FineTuneOptions): Promise<TrainingHistory> {
    this.checkData("fineTune", data);
    if (!this.student)
      throw new LutnnError(
        "fineTune: at least one layer must be replaced first (none is); call replace(name) or replaceAll()",
      );
    this.checkNoMaddness("fineTune", "trained");
    const student = this.student;
    return this.exclusively("fineTune", async () => {
      const given = Object.entries(options).filter(
        ([key, value]) => key in this.profile.fineTune && value !== undefined,
      );
      const settings = { ...this.profile.fineTune, ...Object.fromEntries(given) };
      try {
        return await fineTuneStudent(this.dense, student, data, settings, options);
      } finally {
        this.keepTrained(student);
        this.tuned = true;
      }
    });
  }

  /**
   * The whole way, in as many stages as the profile says (gradual replacement): each takes the next layers from the
   * input on, calibrates them on the network as it is by then, replaces them, and trains the network for its share of
   * the epochs. Every layer must be dense. Returns the figures of each stage. The same call goes on after an
   * interruption where `checkpoint` names a folder and every layer has been restored.
   */
  async convertAll(data: Dataset, options: ConvertAllOptions): Promise<TrainingHistory[]> {
    const { calibrationImages = 4096, ...training } = options;
    const { seed, signal } = options;
    if (this.replaced.size > 0)
      throw new LutnnError(
        `convertAll: every layer must be dense (${[...this.replaced.keys()].join(", ")} replaced); call restoreAll() first`,
      );
    const stages = makeStages(this.profile.stages, this.layers.names, options.epochs);
    const histories: TrainingHistory[] = [];
    for (const [index, { layers, epochs }] of stages.entries()) {
      const folders = stages.length > 1 ? stageFolders(options, index) : {};
      await this.calibrate(data.take(calibrationImages), { layers, seed, signal });
      await this.exclusively("convertAll", () => this.replaceNames(layers, {}));
      histories.push(await this.fineTune(data, { ...training, ...folders, epochs }));
    }
    return histories;
  }

  /**
   * Writes the network as an ONNX file (opset 17) that any ONNX runtime runs; replaced layers are nodes of domain
   * `ai.lutnn`, which the file defines as functions of standard operators. The file is whole or not there.
   */
  async save(path: string): Promise<void> {
    this.checkNoMaddness("save", "saved");
    await this.exclusively("save", () => writeFileWhole(path, exportOnnx(this.model)));
  }

  private checkData(what: string, data: Dataset): void {
    const wanted = this.dense.inputs[0].shape.slice(1);
    if (wanted.some((length, i) => length !== null && length !== data.inputShape[i]))
      throw new LutnnError(
        `${what}: the data must have images of ${wanted.join("×")} (got ${data.inputShape.join("×")} from ${data.name})`,
      );
  }

  private async exclusively<T>(what: string, work: () => Promise<T>): Promise<T> {
    if (this.running)
      throw new LutnnError(`${what}: ${this.running} is still running on this conversion; await it first`);
    this.running = what;
    try {
      return await work();
    } finally {
      this.running = null;
    }
  }

  private checkNoMaddness(what: string, participle: string): void {
    const name = [...this.replaced.keys()].find((name) => "maddness" in this.replacement(name));
    if (name)
      throw new LutnnError(
        `${what}: Maddness cannot be ${participle} (${name} is replaced by it); replace the layer with method "kmeans" or "leastSquares"`,
      );
  }

  /** How the network as it is now came about. */
  private get stage(): string {
    if (this.replaced.size === 0) return "dense";
    if (this.tuned) return "fine-tuned";
    return [...new Set(this.replaced.values())].map((method) => methodName[method]).join(" + ");
  }

  private replacement(name: string): Calibrated {
    return this.calibrations.get(this.replaced.get(name)!)!.get(name)!;
  }

  private forgetTraining(): void {
    this.changed.clear();
    this.tuned = false;
    for (const found of this.calibrations.values())
      for (const calibrated of found.values()) delete calibrated.trained;
  }

  private target(name: string): Target {
    return this.targets.find((target) => target.name === name)!;
  }

  private forgetNorms(name: string): void {
    for (const norm of this.target(name).norms) this.changed.delete(norm);
  }

  /** A layer is replaced; its batch norms become as they were trained with it, or as its calibration found them. */
  private put(name: string, method: CalibrationMethod): void {
    if (this.replaced.has(name)) this.forgetNorms(name);
    this.replaced.set(name, method);
    const { trained, batchNorms } = this.replacement(name);
    for (const norm of this.target(name).norms) {
      const weights = trained?.norms.get(norm);
      const statistics = batchNorms.get(norm);
      if (weights) this.changed.set(norm, weights);
      else if (statistics) {
        const kept = this.changed.get(norm) ?? storeWeights(this.dense.getLayer(norm));
        const [mean, variance] = kept.slice(-2);
        this.changed.set(norm, [
          ...kept.slice(0, -2),
          { ...mean, values: statistics.mean },
          { ...variance, values: statistics.variance },
        ]);
      }
    }
  }

  private keepTrained(student: tf.LayersModel): void {
    for (const layer of student.layers)
      if (!this.replaced.has(layer.name) && layer.weights.length > 0)
        this.changed.set(layer.name, storeWeights(layer));
    for (const name of this.replaced.keys()) {
      const weights = (student.getLayer(name) as LookupLayer).getLookup();
      const norms = new Map(this.target(name).norms.map((norm) => [norm, this.changed.get(norm)!]));
      this.replacement(name).trained = { weights, norms };
    }
  }

  /**
   * A network with some layers as lookups with tables of their own whose arrays are still to be set, on request with
   * the layers that are replaced in place; all other weights are dense or changed.
   */
  private async build(lookups: string[], withReplaced: boolean): Promise<tf.LayersModel> {
    const { distance, tableScale, tableBits } = this.profile;
    const placed = withReplaced ? [...this.replaced.keys()] : [];
    const config = (name: string, tableSource: LookupConfig["tableSource"]): LookupConfig => {
      const { numCentroids, subvectorLength } = this.target(name);
      return { numCentroids, subvectorLength, tableSource, tableScale, tableBits, distance };
    };
    const replacements = new Map<string, Replacement>(lookups.map((name) => [name, config(name, "table")]));
    for (const name of placed) {
      const found = this.replacement(name);
      replacements.set(name, "maddness" in found ? "maddness" : config(name, found.tableSource));
    }
    const network = await rebuildWithLookups(this.dense, replacements);
    for (const layer of network.layers)
      if (!replacements.has(layer.name)) {
        const changed = withReplaced ? this.changed.get(layer.name) : undefined;
        loadWeights(layer, changed ?? storeWeights(this.dense.getLayer(layer.name)));
      }
    for (const name of placed) {
      const found = this.replacement(name);
      const layer = network.getLayer(name);
      if ("maddness" in found) (layer as MaddnessLayer).setMaddness(found.maddness);
      else (layer as LookupLayer).setLookup(found.trained?.weights ?? found.weights);
    }
    return network;
  }

  private async rebuild(): Promise<void> {
    const old = this.student;
    this.student = this.replaced.size === 0 ? null : await this.build([], true);
    old?.dispose();
  }
}

function checkMethod(what: string, method: CalibrationMethod): void {
  if (!(method in methodName))
    throw new LutnnError(
      `${what}: method must be ${Object.keys(methodName)
        .map((name) => `"${name}"`)
        .join(" or ")} (got ${JSON.stringify(method)})`,
    );
}

/** Prepares a network's conversion; nothing is learnt or replaced yet. The network must have fixed-size inputs. */
export function convert(model: tf.LayersModel, options: ConvertOptions = {}): Conversion {
  return new Conversion(model, options);
}
