import * as tf from "@tensorflow/tfjs-node";
import type { ConvWindow } from "../compute/imageWindows";
import type { InputQuantizationTensors } from "../compute/integerCodes";
import {
  roundedTable,
  type SoftParameter,
  softPqConv2d,
  softPqLookup,
  softPqMatMul,
} from "../compute/softPq";
import { commitmentLoss, type InputGradient, partlyStraightThrough } from "../compute/straightThrough";
import { LutnnError } from "../errors";
import { checkInputQuantization, checkIntegerLength, quantizeCodebooks } from "../pq/integerCodes";
import { checkQuantizerShape } from "../pq/productQuantizer";
import type { InputQuantization, QuantizerShape } from "../pq/reference";
import { type Learning, softLearning } from "./learning";
import type { ExportedLookup, LookupConfig, LookupWeights } from "./lookupConfig";
import { temperatureLogit, temperatureOf } from "./temperature";

export { type Learning, softLearning } from "./learning";
export type { ExportedLookup, LookupConfig, LookupWeights } from "./lookupConfig";
export { INITIAL_INVERSE_TEMPERATURE_LOGIT } from "./temperature";

type LayerConfig = tf.serialization.ConfigDict;

/** Those of a layer's variables that say which codes its inputs have. */
const quantizerVariables = ["centroids", "input_scale", "input_zero_point"];

/**
 * Common part of LutConv1D, LutConv2D and LutDense: a linear operator on rows (N, D), replaced by a lookup.
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
    const add = (name: string, dims: number[], initial = zeros, trainable = true) => {
      this.variables[name] = this.addWeight(name, dims, "float32", initial, undefined, trainable);
    };
    if (tableSource === "weight") add("weight", [inputLength, outputs]);
    else add("table", [shape.numCodebooks, numCentroids, outputs]);
    if (this.useBias) add("bias", [outputs]);
    add("centroids", [shape.numCodebooks, numCentroids, subvectorLength]);
    add("inverse_temperature_logit", []);
    if (this.hasIntegerCodes) {
      checkIntegerLength(this.name, subvectorLength);
      add("input_scale", [], tf.initializers.ones(), false);
      add("input_zero_point", [], zeros, false);
    }
    this.built = true;
  }

  /** Whether its codes are defined in integers. */
  get hasIntegerCodes(): boolean {
    return this.lookup.codes === "int8";
  }

  private owner: LookupLayer | null = null;

  /** The layer whose quantiser this one uses: itself, or one of the same rows that {@link shareCodebook} has named. */
  get codebookOwner(): LookupLayer {
    return this.owner ?? this;
  }

  /**
   * Uses another layer's quantiser from now on, in training too, in place of its own, which keeps what it holds; null ends
   * that. The other one must not share in turn.
   */
  shareCodebook(owner: LookupLayer | null): void {
    this.owner = owner;
  }

  /** Brings what its own quantiser holds up to the one that it uses. */
  settleCodebook(): void {
    if (!this.owner) return;
    for (const name of quantizerVariables)
      if (name in this.variables) this.variables[name].write(this.owner.variables[name].read());
  }

  /** Variables of its own that it does not use, and that training leaves alone. */
  get unusedVariables(): tf.Variable[] {
    return this.owner ? [this.variables.centroids.read() as tf.Variable] : [];
  }

  private read<T extends tf.Tensor>(name: string): T {
    const { variables } = quantizerVariables.includes(name) ? this.codebookOwner : this;
    return variables[name].read() as T;
  }

  /** The variable of θ, which trains at a learning rate of its own. */
  get temperatureVariable(): tf.Variable {
    return this.read<tf.Variable>("inverse_temperature_logit");
  }

  /** Temperature of the soft assignment, above 0 and at most 1. */
  get temperature(): number {
    return temperatureOf(this.temperatureVariable.dataSync()[0]);
  }

  /** Sets θ so that {@link temperature} is `value`, above 0 and at most 1. */
  setTemperature(value: number): void {
    tf.tidy(() => this.temperatureVariable.assign(tf.scalar(temperatureLogit(value))));
  }

  private get parameter(): SoftParameter {
    return this.lookup.tableSource === "table"
      ? { kind: "table", tensor: this.read("table") }
      : { kind: "weight", tensor: this.read("weight") };
  }

  /** How its inputs become bytes, as tensors; null where codes are defined in float32. */
  private get inputTensors(): InputQuantizationTensors | null {
    if (!this.hasIntegerCodes) return null;
    return { scale: this.read("input_scale"), zeroPoint: this.read("input_zero_point") };
  }

  /** How its inputs become bytes; null where codes are defined in float32. */
  private get inputQuantization(): InputQuantization | null {
    if (!this.hasIntegerCodes) return null;
    return { scale: this.data("input_scale")[0], zeroPoint: this.data("input_zero_point")[0] };
  }

  private get softOptions() {
    const { distance, tableScale, tableBits } = this.lookup;
    return {
      distance,
      tableScale,
      tableBits,
      integers: this.inputTensors,
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
      const loss = commitmentLoss(
        this.inputRows(x),
        this.read("centroids"),
        commitment,
        centroidPull,
        this.inputTensors,
      );
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
      ...this.inputArrays(weights.input),
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

  private inputArrays(input: InputQuantization | undefined): Record<string, Float32Array> {
    if (!this.hasIntegerCodes) return {};
    if (!input)
      throw new LutnnError(
        `${this.name}: a layer with codes in int8 must get the scale and zero point of its input (got none); calibrate chooses them`,
      );
    checkInputQuantization(this.name, input);
    return { input_scale: Float32Array.of(input.scale), input_zero_point: Float32Array.of(input.zeroPoint) };
  }

  /** A copy of one of the arrays. */
  private data(name: string): Float32Array {
    return this.read(name).dataSync() as Float32Array;
  }

  /** Copies of all arrays. */
  getLookup(): LookupWeights {
    const data = (name: string) => this.data(name);
    const { tableSource } = this.lookup;
    const input = this.inputQuantization;
    return {
      ...(input ? { input } : {}),
      centroids: data("centroids"),
      [tableSource]: data(tableSource),
      bias: this.useBias ? data("bias") : null,
      inverseTemperatureLogit: data("inverse_temperature_logit")[0],
    };
  }

  /** The arrays that inference needs: centroids or their integers, INT8 table, scale, bias. */
  exportLookup(): ExportedLookup {
    const { values, scale } = roundedTable(this.read("centroids"), this.parameter, this.lookup);
    const centroids = this.data("centroids");
    const input = this.inputQuantization;
    return {
      ...this.quantizerShape,
      outputs: this.outputs,
      centroids,
      ...(input ? { integers: quantizeCodebooks(centroids, this.quantizerShape, input) } : {}),
      lookupTable: values,
      tableScale: scale,
      bias: this.useBias ? this.data("bias") : new Float32Array(this.outputs),
    };
  }
}
