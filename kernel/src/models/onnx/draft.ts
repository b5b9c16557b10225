import * as tf from "@tensorflow/tfjs-node";
import { Expand } from "../../layers/kinds/expand";
import { imageOrder, plainOrder, sameOrder } from "../../onnx/layout";
import { LayerNames, wantedName } from "./layerNames";
import type { Operation } from "./operation";
import { tooLarge, valueRule } from "./room";
import { type Constant, dimsOf, lengthsAfterBatch, product, type Traced } from "./value";

const isUnit = (length: number | null): boolean => length === 1;

/** A network while it is built: adds layers, and arranges the axes of what they take. */
export class Draft {
  private readonly names = new LayerNames();
  /** What a tensor with its axes in another order was made from: axis i of it is axis perm[i] of `tensor`. */
  private readonly sources = new Map<number, { tensor: tf.SymbolicTensor; perm: number[] }>();
  /** What a tensor under another shape was made from. */
  private readonly shapes = new Map<number, tf.SymbolicTensor>();
  private readonly known = new Map<string, tf.SymbolicTensor>();

  /** @param batch the number of examples that the file is fixed to; null where it is free */
  constructor(readonly batch: number | null) {}

  /** The tensor that a new layer makes. @param make gets the layer's name @param weights in the layer's order */
  apply(
    operation: Operation,
    inputs: tf.SymbolicTensor | tf.SymbolicTensor[],
    make: (name: string) => tf.layers.Layer,
    {
      weights,
      weightName,
      suffix = "",
    }: { weights?: () => tf.Tensor[]; weightName?: string; suffix?: string } = {},
  ): tf.SymbolicTensor {
    const made = this.applyNamed(`${wantedName(operation.node, weightName)}${suffix}`, inputs, make, weights);
    const got = tooLarge(this.batch, lengthsAfterBatch(made));
    if (got !== null)
      operation.refuse(
        valueRule("what it computes"),
        got,
        "export the network for smaller inputs, or say inputShape",
      );
    return made;
  }

  /** The same with the name that is wanted. */
  applyNamed(
    wanted: string,
    inputs: tf.SymbolicTensor | tf.SymbolicTensor[],
    make: (name: string) => tf.layers.Layer,
    weights?: () => tf.Tensor[],
  ): tf.SymbolicTensor {
    const layer = make(this.names.take(wanted));
    const made = layer.apply(inputs) as tf.SymbolicTensor;
    if (weights) tf.tidy(() => layer.setWeights(weights()));
    return made;
  }

  /** A layer that reads several values; one that comes twice goes through a copy, since tf.js fails on it. */
  merge(
    operation: Operation,
    inputs: tf.SymbolicTensor[],
    make: (name: string) => tf.layers.Layer,
  ): tf.SymbolicTensor {
    const distinct = inputs.map((tensor, i) =>
      inputs.indexOf(tensor) === i
        ? tensor
        : this.apply(operation, tensor, (name) => tf.layers.activation({ activation: "linear", name }), {
            suffix: "_copy",
          }),
    );
    return this.apply(operation, distinct, make);
  }

  input(name: string, shape: number[], dtype: "float32" | "int32"): tf.SymbolicTensor {
    return tf.input({ shape, dtype, name: this.names.take(name) });
  }

  /**
   * The value with its axes in an order, through one Permute from where it was first made; where only axes of length 1
   * move, through a Reshape. The batch stays first in the tensor.
   */
  inOrder(operation: Operation, value: Traced, order: readonly number[]): Traced {
    if (sameOrder(value.order, order)) return value;
    const own = { tensor: value.tensor, perm: plainOrder(order.length) };
    const source = this.sources.get(value.tensor.id) ?? own;
    const perm: number[] = [];
    order.forEach((axis, i) => {
      perm[axis] = source.perm[value.order[i]];
    });
    if (sameOrder(perm, plainOrder(perm.length))) return { ...value, tensor: source.tensor, order };
    const key = `${source.tensor.id}/${perm.join()}`;
    const tensor = this.known.get(key) ?? this.permuted(operation, source.tensor, perm);
    this.known.set(key, tensor);
    this.sources.set(tensor.id, { tensor: source.tensor, perm });
    return { ...value, tensor, order };
  }

  private permuted(operation: Operation, tensor: tf.SymbolicTensor, perm: number[]): tf.SymbolicTensor {
    const moved = perm.filter((axis) => axis === 0 || !isUnit(tensor.shape[axis]));
    if (moved.every((axis, i) => i === 0 || axis > moved[i - 1]))
      return this.reshaped(
        operation,
        tensor,
        perm.slice(1).map((axis) => tensor.shape[axis] as number),
      );
    return this.apply(operation, tensor, (name) => tf.layers.permute({ dims: perm.slice(1), name }), {
      suffix: "_axes",
    });
  }

  /** The tensor's numbers in the same order under other lengths after the batch. */
  reshaped(operation: Operation, tensor: tf.SymbolicTensor, lengths: number[]): tf.SymbolicTensor {
    const source = this.shapes.get(tensor.id) ?? tensor;
    if (sameOrder(lengthsAfterBatch(source), lengths)) return source;
    const key = `${source.id}/shape/${lengths.join()}`;
    const made =
      this.known.get(key) ??
      this.apply(operation, source, (name) => tf.layers.reshape({ targetShape: lengths, name }), {
        suffix: "_shape",
      });
    this.known.set(key, made);
    this.shapes.set(made.id, source);
    return made;
  }

  /** The axes of the tensor in the file's order, the batch first: what row-major means to the file. */
  plain(operation: Operation, value: Traced): Traced {
    const batch = value.order.indexOf(0);
    return this.inOrder(
      operation,
      value,
      value.order.map((_, i) => (i === batch ? 0 : i < batch ? i + 1 : i)),
    );
  }

  /** Batch, space, channels in the tensor; the file has the channels behind the batch. */
  image(operation: Operation, value: Traced): Traced {
    if (value.order[0] !== 0)
      operation.refuse(
        "the batch must be the first axis of what it takes",
        `axis ${value.order.indexOf(0)}`,
        "export the network with the batch first",
      );
    return this.inOrder(operation, value, imageOrder(value.order.length, "channelsLast"));
  }

  /**
   * The value under other dims of the file that differ in axes of length 1 alone. The new ones stand behind the batch, the
   * others keep their order in the tensor.
   */
  withUnits(operation: Operation, value: Traced, dims: readonly (number | null)[]): Traced {
    const old = dimsOf(value);
    const kept = value.order.filter((_, i) => !isUnit(old[i])); // tensor axes that stay, in the file's order
    const inTensor = [...kept].sort((a, b) => a - b);
    const units = dims.filter(isUnit).length;
    let [unit, next] = [0, 0];
    const order = dims.map((length) => {
      if (isUnit(length)) return ++unit;
      const place = inTensor.indexOf(kept[next++]);
      return place === 0 ? 0 : place + units;
    });
    const lengths: number[] = [];
    order.forEach((axis, i) => {
      if (axis > 0) lengths[axis - 1] = dims[i] as number;
    });
    return { ...value, tensor: this.reshaped(operation, value.tensor, lengths), order };
  }

  /** The value with axes of length 1 in front, until it has `rank` of them. */
  withRank(operation: Operation, value: Traced, rank: number): Traced {
    const missing = rank - value.order.length;
    if (missing <= 0) return value;
    return this.withUnits(operation, value, [...Array<number>(missing).fill(1), ...dimsOf(value)]);
  }

  /** The value with axes of length 1 repeated to these dims of the file. */
  expanded(operation: Operation, value: Traced, dims: readonly (number | null)[]): Traced {
    const lengths: number[] = [];
    value.order.forEach((axis, i) => {
      if (axis > 0) lengths[axis - 1] = dims[i] as number;
    });
    if (sameOrder(lengthsAfterBatch(value.tensor), lengths)) return value;
    const tensor = this.apply(operation, value.tensor, (name) => new Expand({ lengths, name }), {
      suffix: "_expanded",
    });
    return { ...value, tensor };
  }
}

/** The float32 values of a constant. */
export const floatsOf = ({ data }: Constant): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data);

/** A constant as a tensor whose axis i is axis order[i] of the constant. Inside tf.tidy. */
export const weightTensor = (constant: Constant, order: readonly number[], dims = constant.dims): tf.Tensor =>
  tf.tensor(floatsOf(constant), dims).transpose([...order]);

/** A constant as a vector. */
export const vectorOf = (constant: Constant): tf.Tensor1D => tf.tensor1d(floatsOf(constant));

/** How many numbers a constant has. */
export const countOf = ({ dims }: Constant): number => product(dims);
