import { randomUUID } from "node:crypto";
import type * as tf from "@tensorflow/tfjs-node";
import { ErrorAccumulation } from "../charts/errorAccumulation";
import type { Dataset } from "../datasets/dataset";
import { LutnnError } from "../errors";
import { currentHost, displaySymbol } from "../host/host";
import { cellSignal } from "../host/signal";
import { writeFileWhole } from "../host/writeFile";
import { asFunctional } from "../layers/graph";
import { type LookupConfig, LookupLayer } from "../layers/lookupLayer";
import { rebuildWithLookups } from "../layers/rebuild";
import { exportOnnx } from "../onnx/exportModel";
import { type Evaluation, evaluate } from "../training/evaluate";
import type { TrainingHistory } from "../training/history";
import { type Calibrated, calibrateKMeans, calibrateLeastSquares } from "./calibrate";
import { type FineTuneOptions, fineTuneStudent } from "./fineTune";
import { LayerTable, layerInfo } from "./layerTable";
import { measureErrors } from "./measureErrors";
import { type Profile, profileOf } from "./profile";
import { loadWeights, type StoredWeights, storeWeights } from "./storedWeights";
import { checkName, chooseTargets, type Target, type TargetOptions } from "./target";

export interface ConvertOptions extends TargetOptions {
  /** `paper`: as published; `plus` (default): ours; or a profile of one's own, made from {@link profiles}. */
  profile?: "paper" | "plus" | Profile;
}

export interface CalibrateOptions {
  /**
   * `kmeans`, as published: centroids from the dense network's activations, table = P·W. `leastSquares`: layer by layer
   * on converted activations, the table fitted to the dense layer's output. Default: the profile's.
   */
  method?: "kmeans" | "leastSquares";
  /** Default 0. */
  seed?: number;
  signal?: AbortSignal;
}

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
  private readonly calibrated = new Map<string, Calibrated>();
  private readonly replaced = new Set<string>();
  /** Weights of other layers where they differ from the dense network's: batch norms, and what fine-tuning changed. */
  private readonly changed = new Map<string, StoredWeights>();
  private student: tf.LayersModel | null = null;
  private stage = "dense";
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
          : this.calibrated.has(target.name)
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
   */
  async calibrate(data: Dataset, options: CalibrateOptions = {}): Promise<void> {
    const method = options.method ?? this.profile.calibrate.method;
    if (method !== "kmeans" && method !== "leastSquares")
      throw new LutnnError(
        `calibrate: method must be "kmeans" or "leastSquares" (got ${JSON.stringify(method)})`,
      );
    this.checkData("calibrate", data);
    await this.exclusively("calibrate", async () => {
      const signal = cellSignal(options.signal);
      const { dense: model, targets, profile } = this;
      const run = { model, targets, data, seed: options.seed ?? 0, profile, signal };
      let found: Map<string, Calibrated>;
      if (method === "kmeans") found = await calibrateKMeans(run);
      else {
        const student = await this.build(this.targets.map(({ name }) => [name, "table"]));
        try {
          found = await calibrateLeastSquares(run, student);
        } finally {
          student.dispose();
        }
      }
      this.changed.clear();
      for (const [name, calibrated] of found) this.calibrated.set(name, calibrated);
      for (const name of this.replaced) this.takeBatchNorms(name);
      this.stage = method === "kmeans" ? "k-means" : "least squares";
      await this.rebuild();
    });
  }

  /** Puts the lookup of one calibrated layer in place. */
  async replace(name: string): Promise<void> {
    await this.exclusively("replace", () => this.replaceNames([name]));
  }

  /** Puts the lookups of all calibrated layers in place. */
  async replaceAll(): Promise<void> {
    await this.exclusively("replaceAll", () => this.replaceNames(this.layers.names));
  }

  private async replaceNames(names: string[]): Promise<void> {
    for (const name of names) {
      checkName(this.dense.name, name, this.layers.names);
      if (!this.calibrated.has(name))
        throw new LutnnError(`replace: ${name} must be calibrated first; call calibrate(data)`);
    }
    for (const name of names.filter((name) => !this.replaced.has(name))) {
      this.replaced.add(name);
      this.takeBatchNorms(name);
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
    await this.exclusively("restoreAll", () => this.restoreNames([...this.replaced]));
  }

  private async restoreNames(names: string[]): Promise<void> {
    for (const name of names) {
      checkName(this.dense.name, name, this.layers.names);
      this.replaced.delete(name);
      for (const norm of this.calibrated.get(name)?.batchNorms.keys() ?? []) this.changed.delete(norm);
    }
    if (this.replaced.size === 0) this.changed.clear();
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
        this.stage = "fine-tuned";
      }
    });
  }

  /**
   * Writes the network as an ONNX file (opset 17) that any ONNX runtime runs; replaced layers are nodes of domain
   * `ai.lutnn`, which the file defines as functions of standard operators. The file is whole or not there.
   */
  async save(path: string): Promise<void> {
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

  /** The batch norms behind a layer take the statistics that its calibration found. */
  private takeBatchNorms(name: string): void {
    for (const [norm, { mean, variance }] of this.calibrated.get(name)?.batchNorms ?? []) {
      const weights = storeWeights(this.dense.getLayer(norm));
      weights[weights.length - 2].values = mean;
      weights[weights.length - 1].values = variance;
      this.changed.set(norm, weights);
    }
  }

  private keepTrained(student: tf.LayersModel): void {
    for (const layer of student.layers)
      if (layer instanceof LookupLayer) this.calibrated.get(layer.name)!.weights = layer.getLookup();
      else if (layer.weights.length > 0) this.changed.set(layer.name, storeWeights(layer));
  }

  /** A network with some layers as lookups whose arrays are still to be set, all other weights dense or changed. */
  private async build(lookups: [string, LookupConfig["tableSource"]][]): Promise<tf.LayersModel> {
    const { distance, tableScale } = this.profile;
    const configs = new Map(
      lookups.map(([name, tableSource]) => {
        const { numCentroids, subvectorLength } = this.targets.find((target) => target.name === name)!;
        return [name, { numCentroids, subvectorLength, tableSource, tableScale, distance }];
      }),
    );
    const student = await rebuildWithLookups(this.dense, configs);
    for (const layer of student.layers)
      if (!(layer instanceof LookupLayer))
        loadWeights(layer, this.changed.get(layer.name) ?? storeWeights(this.dense.getLayer(layer.name)));
    return student;
  }

  private async rebuild(): Promise<void> {
    const old = this.student;
    if (this.replaced.size === 0) this.student = null;
    else {
      const names = [...this.replaced];
      const student = await this.build(names.map((name) => [name, this.calibrated.get(name)!.tableSource]));
      for (const name of names)
        (student.getLayer(name) as LookupLayer).setLookup(this.calibrated.get(name)!.weights);
      this.student = student;
    }
    old?.dispose();
  }
}

/** Prepares a network's conversion; nothing is learnt or replaced yet. The network must have fixed-size inputs. */
export function convert(model: tf.LayersModel, options: ConvertOptions = {}): Conversion {
  return new Conversion(model, options);
}
