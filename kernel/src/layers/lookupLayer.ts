import * as tf from "@tensorflow/tfjs-node";
import type { ConvWindow } from "../compute/imageWindows";
import {
  realTable,
  type SoftDistance,
  type SoftParameter,
  softPqConv2d,
  softPqLookup,
  softPqMatMul,
} from "../compute/softPq";
import { commitmentLoss, type InputGradient, partlyStraightThrough } from "../compute/straightThrough";
import { valuesOf } from "../compute/valuesOf";
import { LutnnError } from "../errors";
import { quantizeTable, type TableBits, type TableScaleMode } from "../pq/lookupTable";
import { checkQuantizerShape } from "../pq/productQuantizer";
import type { QuantizerShape } from "../pq/reference";

/** How a layer looks up; part of its serialised config. */
export interface LookupConfig {
  /** K */
  numCentroids: number;
  /** V */
  subvectorLength: number;
  /**
   * Where the table comes from: `weight` recomputes P·W from the layer's weight (the paper), `table` holds the table
   * itself as the trained parameter (after a least-squares fit).
   */
  tableSource: "weight" | "table";
  tableScale: TableScaleMode;
  /** More than 8 is for training alone. */
  tableBits: TableBits;
  distance: SoftDistance;
}

/** The arrays of a lookup layer; exactly one of `weight` and `table` is there, as the config's tableSource says. */
export interface LookupWeights {
  /** float32 (C, K, V) */
  centroids: Float32Array;
  /** float32 (D, M), D channel-major */
  weight?: Float32Array;
  /** float32 (C, K, M) */
  table?: Float32Array;
  /** float32 (M); null for a layer without bias */
  bias: Float32Array | null;
  /** θ; the inverse temperature is softplus(θ) + 1 */
  inverseTemperatureLogit: number;
}

/** What inference needs of a replaced layer. */
export interface ExportedLookup extends QuantizerShape {
  /** M */
  outputs: number;
  /** float32 (C, K, V) */
  centroids: Float32Array;
  /** int8 (C, K, M) */
  lookupTable: Int8Array;
  /** float32 (M) */
  tableScale: Float32Array;
  /** float32 (M); zeros for a layer without bias */
  bias: Float32Array;
}

type LayerConfig = tf.serialization.ConfigDict;

/** How gradients flow through a lookup while training; see FineTuneSettings. */
export interface Learning {
  softShare: number;
  commitment: number;
  centroidPull: number;
  /** Of the dense layer: where the straight-through share of the input's gradient comes from. */
  inputGradient: InputGradient | null;
}

/** The paper: the soft path alone. */
export const softLearning: Learning = { softShare: 1, commitment: 0, centroidPull: 0, inputGradient: null };

/** θ of the released recipe for convolutional networks: inverse temperature 15.38, temperature 0.065. */
export const INITIAL_INVERSE_TEMPERATURE_LOGIT = 14.3846;

/**
 * Common part of LutConv2D and LutDense: a linear operator on rows (N, D), replaced by a lookup.
 * The layer keeps the whole config of the dense layer it stands for and adds `lookup`, so a network's own definition
 * serves for the converted network too.
 */
export abstract class LookupLayer extends tf.layers.Layer {
  readonly lookup: LookupConfig;
  /** The dense layer's config, kept as it was. */
  protected readonly denseConfig: LayerConfig;
  protected readonly useBias: boolean;
  private readonly activationLayer: tf.layers.Layer;
  private codebookShape?: QuantizerShape;
  private outputs = 0;
  private variables: Record<string, tf.layers.Layer["weights"][number]> = {};

  constructor(config: LayerConfig) {
    super({ name: config.name as string, trainable: config.trainable as boolean });
    const { lookup, ...dense } = config;
    this.lookup = lookup as LayerConfig & LookupConfig;
    this.denseConfig = dense as LayerConfig;
    this.useBias = config.useBias !== false;
    this.activationLayer = tf.layers.activation({ activation: (config.activation as "linear") ?? "linear" });
  }

  override getConfig(): LayerConfig {
    return { ...super.getConfig(), ...this.denseConfig, lookup: { ...this.lookup } };
  }

  /** C, K, V; known once the layer is built. */
  get quantizerShape(): QuantizerShape {
    if (!this.codebookShape)
      throw new LutnnError(`${this.name}: the layer is not built yet; apply it to an input first`);
    return this.codebookShape;
  }

  /** Makes the weights of a lookup from D = inputLength to M = outputs. */
  protected buildLookup(inputLength: number, outputs: number): void {
    const { numCentroids, subvectorLength, tableSource } = this.lookup;
    if (inputLength % subvectorLength !== 0)
      throw new LutnnError(
        `${this.name}: subvectorLength (V) must divide the input length (got V = ${subvectorLength} and ${inputLength}); choose a divisor`,
      );
    const shape = { numCodebooks: inputLength / subvectorLength, numCentroids, subvectorLength };
    checkQuantizerShape(this.name, shape);
    this.codebookShape = shape;
    this.outputs = outputs;
    const zeros = tf.initializers.zeros();
    const add = (name: string, dims: number[]) => {
      this.variables[name] = this.addWeight(name, dims, "float32", zeros, undefined, true);
    };
    if (tableSource === "weight") add("weight", [inputLength, outputs]);
    else add("table", [shape.numCodebooks, numCentroids, outputs]);
    if (this.useBias) add("bias", [outputs]);
    add("centroids", [shape.numCodebooks, numCentroids, subvectorLength]);
    add("inverse_temperature_logit", []);
    this.built = true;
  }

  private read<T extends tf.Tensor>(name: string): T {
    return this.variables[name].read() as T;
  }

  /** The variable of θ, which trains at a learning rate of its own. */
  get temperatureVariable(): tf.Variable {
    return this.read<tf.Variable>("inverse_temperature_logit");
  }

  /** Sets θ so that the temperature 1 / (softplus(θ) + 1) is `value`, above 0 and at most 1. */
  setTemperature(value: number): void {
    const excess = Math.max(1 / value - 1, 1e-12); // softplus(θ)
    const theta = excess > 30 ? excess : Math.log(Math.expm1(excess));
    tf.tidy(() => this.temperatureVariable.assign(tf.scalar(theta)));
  }

  /** The real table (C, K, M): the trained one, or P·W. */
  private realTable(): tf.Tensor3D {
    return this.lookup.tableSource === "table"
      ? this.read<tf.Tensor3D>("table")
      : realTable(this.read("centroids"), this.read("weight"));
  }

  private get parameter(): SoftParameter {
    return this.lookup.tableSource === "table"
      ? { kind: "table", tensor: this.read("table") }
      : { kind: "weight", tensor: this.read("weight") };
  }

  private get softOptions() {
    const { distance, tableScale, tableBits } = this.lookup;
    return {
      distance,
      tableScale,
      tableBits,
      inverseTemperatureLogit: this.read<tf.Scalar>("inverse_temperature_logit"),
    };
  }

  /** Input (B, …) as rows (B·positions, D), channel-major. */
  abstract inputRows(x: tf.Tensor): tf.Tensor2D;

  /** How gradients flow while training; the soft path alone unless fine-tuning says otherwise. */
  learning: Learning = softLearning;
  /** Commitment losses of the training calls since {@link clearAuxiliaryLosses}, to be added to the task's loss. */
  readonly auxiliaryLosses: tf.Scalar[] = [];

  /** Disposes the auxiliary losses, once the step that used them is over. */
  clearAuxiliaryLosses(): void {
    tf.dispose(this.auxiliaryLosses.splice(0));
  }

  /**
   * Rows float32 (N, D) → (N, M), or with a window images (B, height, width, channels) → (B, …, M): the lookup with bias
   * and activation.
   */
  protected lookUp(x: tf.Tensor2D | tf.Tensor4D, window: ConvWindow | null, training: boolean): tf.Tensor {
    const { softShare, commitment, centroidPull } = this.learning;
    const soft = (input: tf.Tensor) => this.softLookUp(input as typeof x, window);
    const y =
      training && softShare < 1 ? partlyStraightThrough(x, soft, this.straightPath(), softShare) : soft(x);
    if (training && commitment + centroidPull > 0) {
      const loss = commitmentLoss(this.inputRows(x), this.read("centroids"), commitment, centroidPull);
      this.auxiliaryLosses.push(tf.keep(loss));
    }
    const z = this.useBias ? tf.add(y, this.read<tf.Tensor1D>("bias")) : y;
    return this.activationLayer.apply(z) as tf.Tensor;
  }

  private softLookUp(x: tf.Tensor2D | tf.Tensor4D, window: ConvWindow | null): tf.Tensor {
    const { parameter, softOptions } = this;
    const centroids = this.read<tf.Tensor3D>("centroids");
    if (window) return softPqConv2d(x as tf.Tensor4D, window, centroids, parameter, softOptions);
    const rows = x as tf.Tensor2D;
    return parameter.kind === "weight"
      ? softPqMatMul(rows, centroids, parameter.tensor, softOptions)
      : softPqLookup(rows, centroids, parameter.tensor, softOptions.inverseTemperatureLogit, softOptions);
  }

  private straightPath(): InputGradient {
    const { inputGradient } = this.learning;
    if (!inputGradient)
      throw new LutnnError(`${this.name}: a straight-through gradient needs the dense layer`);
    return inputGradient;
  }

  /** Sets all arrays; lengths are checked. */
  setLookup(weights: LookupWeights): void {
    const { tableSource } = this.lookup;
    const arrays: Record<string, Float32Array | undefined> = {
      [tableSource]: tableSource === "weight" ? weights.weight : weights.table,
      ...(this.useBias ? { bias: weights.bias ?? new Float32Array(this.outputs) } : {}),
      centroids: weights.centroids,
      inverse_temperature_logit: Float32Array.of(weights.inverseTemperatureLogit),
    };
    for (const [name, values] of Object.entries(arrays)) {
      const variable = this.variables[name];
      const size = variable.shape.reduce<number>((product, length) => product * (length ?? 1), 1);
      if (values?.length !== size)
        throw new LutnnError(
          `${this.name}: ${name} must hold ${size} numbers (got ${values ? values.length : "none"})`,
        );
      const tensor = tf.tensor(values, variable.shape as number[]);
      variable.write(tensor);
      tensor.dispose();
    }
  }

  /** Copies of all arrays. */
  getLookup(): LookupWeights {
    const data = (name: string) => this.read(name).dataSync() as Float32Array;
    const { tableSource } = this.lookup;
    return {
      centroids: data("centroids"),
      [tableSource]: data(tableSource),
      bias: this.useBias ? data("bias") : null,
      inverseTemperatureLogit: data("inverse_temperature_logit")[0],
    };
  }

  /** The arrays that inference needs: centroids, INT8 table, scale, bias. */
  exportLookup(): ExportedLookup {
    const { tableScale, tableBits } = this.lookup;
    const real = valuesOf(() => this.realTable());
    const { values, scale } = quantizeTable(real, this.outputs, tableScale, tableBits);
    const { centroids, bias } = this.getLookup();
    return {
      ...this.quantizerShape,
      outputs: this.outputs,
      centroids,
      lookupTable: values,
      tableScale: scale,
      bias: bias ?? new Float32Array(this.outputs),
    };
  }
}

/** The one tensor that a layer with a single input receives. */
export function oneTensor(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
  if (!Array.isArray(inputs)) return inputs;
  if (inputs.length !== 1) throw new LutnnError(`a lookup layer takes one input (got ${inputs.length})`);
  return inputs[0];
}

/** The one shape that a layer with a single input is built for. */
export function oneShape(shapes: tf.Shape | tf.Shape[]): tf.Shape {
  return Array.isArray(shapes[0]) ? (shapes[0] as tf.Shape) : (shapes as tf.Shape);
}
