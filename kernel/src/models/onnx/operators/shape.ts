import * as tf from "@tensorflow/tfjs-node";
import { Padding } from "../../../layers/kinds/padding";
import { Slice } from "../../../layers/kinds/slice";
import { SeededDropout } from "../../../layers/seededDropout";
import { broadcastDims } from "../broadcast";
import type { Draft } from "../draft";
import { dimsText, type Operation } from "../operation";
import { type AxisRange, sliceRanges } from "../slices";
import { type Constant, dimsOf, fromFront, product, type Traced } from "../value";
import type { Build, Builders } from "./builder";

type Length = number | null;
const fixedSizes = "export the network with fixed sizes, or with the batch first";

/** Lengths that a shape of the file means, null for the batch. @param dims of what is given it */
function targetDims(draft: Draft, operation: Operation, shape: Constant, dims: readonly Length[]): Length[] {
  const copies = operation.int("allowzero", 0) === 0;
  const batch = dims.indexOf(null);
  const wanted = Array.from(shape.data, (length, i): Length => {
    const perExample = shape.perExample?.[i] ?? 0;
    if (perExample === 1 && length === 0) return null;
    if (perExample !== 0)
      return operation.refuse(
        "examples of the batch must stay apart",
        `the length ${perExample}·N + ${length}`,
        "export the network so that it keeps an axis for the batch",
      );
    return length === 0 && copies ? dims[i] : length;
  });
  const all = product(dims.filter((length): length is number => length !== null));
  if (!wanted.includes(null)) {
    // An exporter that fixed the batch wrote its length; one that left it open may have left it to be computed.
    const rest = product(wanted.slice(1).map((length) => length ?? 1));
    const isFree = wanted[0] === -1 && rest === all;
    const isFixed =
      draft.batch !== null && wanted[0] === draft.batch && (rest === all || wanted.slice(1).includes(-1));
    if (batch === 0 && (isFree || isFixed)) wanted[0] = null;
  }
  const given = product(wanted.filter((length): length is number => length !== null && length !== -1));
  const result = wanted.map((length) => (length === -1 ? all / given : length));
  const made = product(result.filter((length): length is number => length !== null));
  if (!result.includes(null) || made !== all)
    operation.refuse(
      `the shape must have an axis for the batch and ${all} numbers for each example`,
      Array.from(shape.data, (length, i) => (shape.perExample?.[i] ? "N" : length)).join("×"),
      "export the network with the batch as a free axis; if sizes are others than the network's, give inputShape",
    );
  return result;
}

/** The same numbers, row-major as the file has them, under other dims. */
function reshaped(draft: Draft, operation: Operation, x: Traced, dims: readonly Length[]): Traced {
  const old = dimsOf(x);
  const long = (all: readonly Length[]) => all.filter((length) => length !== 1);
  if (long(old).length === long(dims).length && long(old).every((length, i) => length === long(dims)[i]))
    return draft.withUnits(operation, x, dims);
  const before = (all: readonly Length[]) => product(all.slice(0, all.indexOf(null)) as number[]);
  if (before(old) !== before(dims))
    operation.refuse(
      "examples of the batch must stay apart",
      `${dimsText(x)} to ${dims.map((one) => one ?? "N").join("×")}`,
      fixedSizes,
    );
  const plain = draft.plain(operation, x);
  const lengths = dims.filter((length): length is number => length !== null);
  const batch = dims.indexOf(null);
  return {
    ...plain,
    tensor: draft.reshaped(operation, plain.tensor, lengths),
    order: dims.map((_, i) => (i === batch ? 0 : i < batch ? i + 1 : i)),
  };
}

const reshape: Build = (draft, operation) => {
  const x = operation.traced(0);
  const given = operation.ints("shape");
  const shape: Constant = given
    ? { kind: "constant", type: "int64", dims: [given.length], data: given }
    : operation.constant(1, "the shape");
  return reshaped(draft, operation, x, targetDims(draft, operation, shape, dimsOf(x)));
};

const flatten: Build = (draft, operation) => {
  const x = operation.traced(0);
  const dims = dimsOf(x);
  const axis = fromFront(operation.int("axis", 1), dims.length);
  const [rows, columns] = [dims.slice(0, axis), dims.slice(axis)];
  const isApart = rows.includes(null) && rows.every((length) => length === null || length === 1);
  if (!isApart)
    operation.refuse("axis must stand right behind the batch", `${axis} of ${dimsText(x)}`, fixedSizes);
  return reshaped(draft, operation, x, [null, product(columns as number[])]);
};

const squeeze: Build = (draft, operation) => {
  const x = operation.traced(0);
  const dims = dimsOf(x);
  const axes = operation.intsOf("axes", 1)?.map((axis) => fromFront(axis, dims.length));
  const gone = (length: Length, i: number) => (axes ? axes.includes(i) : length === 1);
  if (dims.some((length, i) => gone(length, i) && length !== 1))
    operation.refuse("axes must have length 1", `${axes?.join(", ")} of ${dimsText(x)}`, fixedSizes);
  return draft.withUnits(
    operation,
    x,
    dims.filter((length, i) => !gone(length, i)),
  );
};

const unsqueeze: Build = (draft, operation) => {
  const x = operation.traced(0);
  const given = operation.intsOf("axes", 1) ?? [];
  const rank = x.order.length + given.length;
  const axes = given.map((axis) => fromFront(axis, rank));
  const old = dimsOf(x);
  let next = 0;
  return draft.withUnits(
    operation,
    x,
    Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : old[next++])),
  );
};

/** A matter of what the axes are called alone. */
const transpose: Build = (_draft, operation) => {
  const x = operation.traced(0);
  const perm = operation.ints("perm") ?? x.order.map((_, i) => x.order.length - 1 - i);
  return { ...x, order: perm.map((axis) => x.order[axis]) };
};

const expand: Build = (draft, operation) => {
  const x = operation.traced(0);
  const shape = operation.constant(1, "the shape");
  const wanted = Array.from(shape.data, (length, i): Length => (shape.perExample?.[i] ? null : length));
  const old = dimsOf(x);
  const fixed = draft.batch;
  // The length of a fixed batch, or 1, where the batch stands.
  const spread = wanted.map((length, i) => {
    const own = old[i - wanted.length + old.length];
    return own === null && (length === 1 || length === fixed) ? null : length;
  });
  const dims =
    broadcastDims(old, spread) ??
    operation.refuse(
      "the shape must fit what is given",
      `${wanted.map((one) => one ?? "N").join("×")} for ${dimsText(x)}`,
      fixedSizes,
    );
  return draft.expanded(operation, draft.withRank(operation, x, dims.length), dims);
};

/** Some places of an axis of the file. */
function ranged(
  draft: Draft,
  operation: Operation,
  x: Traced,
  { axis, start, length, step }: AxisRange,
): Traced {
  const own = x.order[axis];
  if (length < 1)
    operation.refuse(
      "a part must have places",
      `none of axis ${axis} of ${dimsText(x)}`,
      "give a larger inputShape",
    );
  const tensor = draft.apply(
    operation,
    x.tensor,
    (name) => new Slice({ axis: own, start, length, step, name }),
  );
  return { ...x, tensor };
}

const slice: Build = (draft, operation) => {
  const x = operation.traced(0);
  return sliceRanges(operation, dimsOf(x)).reduce((part, range) => ranged(draft, operation, part, range), x);
};

/** The lengths that a Split makes. */
function parts(operation: Operation, length: number): number[] {
  const given = operation.intsOf("split", 1);
  if (given) return given;
  const count = operation.int("num_outputs", operation.node.output.length);
  const each = Math.ceil(length / count);
  return Array.from({ length: count }, (_, i) => Math.min(each, length - i * each));
}

const split: Build = (draft, operation) => {
  const x = operation.traced(0);
  const axis = fromFront(operation.int("axis", 0), x.order.length);
  const whole = dimsOf(x)[axis];
  if (whole === null) return operation.refuse("the batch must stay whole", `axis ${axis}`, fixedSizes);
  let start = 0;
  return parts(operation, whole).map((length) => {
    const part = ranged(draft, operation, x, { axis, start, length, step: 1 });
    start += length;
    return part;
  });
};

const concat: Build = (draft, operation) => {
  const inputs = operation.inputs.map((_, i) => operation.traced(i));
  const { order } = inputs[0];
  const axis = order[fromFront(operation.int("axis", 0), order.length)];
  if (axis === 0) return operation.refuse("the batch must stay whole", dimsText(inputs[0]), fixedSizes);
  if (inputs.length === 1) return inputs[0];
  if (inputs.some((one) => one.order.indexOf(0) !== order.indexOf(0)))
    operation.refuse(
      "inputs must have the batch on the same axis",
      inputs.map(dimsText).join(" and "),
      fixedSizes,
    );
  const aligned = inputs.map((one) => draft.inOrder(operation, one, order).tensor);
  const tensor = draft.merge(operation, aligned, (name) => tf.layers.concatenate({ axis, name }));
  return { ...inputs[0], tensor };
};

/** What a Pad puts around each axis: lengths before and behind. */
function padsOf(operation: Operation, rank: number): [number, number][] {
  const given = operation.intsOf(operation.opset < 11 ? "pads" : "", 1) ?? [];
  const axes = operation.opset < 18 ? null : operation.intsOf("", 3);
  const named = axes?.map((axis) => fromFront(axis, rank)) ?? Array.from({ length: rank }, (_, i) => i);
  const all = Array.from({ length: rank }, (): [number, number] => [0, 0]);
  named.forEach((axis, i) => {
    all[axis] = [given[i], given[i + named.length]];
  });
  return all;
}

const pad: Build = (draft, operation) => {
  const x = operation.traced(0);
  const mode = operation.string("mode", "constant");
  const pads = padsOf(operation, x.order.length);
  const flat = pads.flat();
  if (flat.every((length) => length === 0)) return x;
  if (
    mode !== "constant" ||
    flat.some((length) => length < 0) ||
    pads[x.order.indexOf(0)].some((one) => one > 0)
  )
    operation.refuse(
      "it must put one number around anything but the batch",
      `mode ${mode} with pads ${[0, 1].flatMap((side) => pads.map((one) => one[side])).join(", ")}`,
      "export the network with zero padding",
    );
  const given = operation.constantOrNull(2, "the number");
  const value = operation.opset < 11 ? operation.float("value", 0) : (given?.data[0] ?? 0);
  const own: [number, number][] = [];
  x.order.forEach((axis, i) => {
    if (axis > 0) own[axis - 1] = pads[i];
  });
  const isImage = x.order.length === 4 && value === 0 && own[2].every((length) => length === 0);
  const tensor = draft.apply(operation, x.tensor, (name) =>
    isImage
      ? tf.layers.zeroPadding2d({ padding: [own[0], own[1]], name })
      : new Padding({ paddings: own, value, name }),
  );
  return { ...x, tensor };
};

/** Repeats: those of axes of length 1. */
const tile: Build = (draft, operation) => {
  const x = operation.traced(0);
  const repeats = operation.wholeNumbers(operation.constant(1, "repeats"), "repeats");
  const dims = dimsOf(x).map((length, i) => {
    if (repeats[i] === 1) return length;
    if (length === 1) return repeats[i];
    return operation.refuse(
      "only axes of length 1 may be repeated",
      `${repeats.join(", ")} for ${dimsText(x)}`,
      "cut the network before it with outputs",
    );
  });
  return draft.expanded(operation, x, dims);
};

const identity: Build = (_draft, operation) => operation.traced(0);

/** Left out while the network computes; while it trains it drops as the file says, by the seed of the run. */
const dropout: Build = (draft, operation) => {
  const x = operation.traced(0);
  const given = operation.constantOrNull(1, "ratio");
  const rate = operation.opset < 12 ? operation.float("ratio", 0.5) : (given?.data[0] ?? 0.5);
  if (rate === 0) return x;
  if (!(rate > 0 && rate < 1))
    operation.refuse("the ratio must be from 0, below 1", `${rate}`, "export the network for inference");
  return { ...x, tensor: draft.apply(operation, x.tensor, (name) => new SeededDropout({ rate, name })) };
};

export const shapes: Builders = {
  Concat: concat,
  Dropout: dropout,
  Expand: expand,
  Flatten: flatten,
  Identity: identity,
  Pad: pad,
  Reshape: reshape,
  Slice: slice,
  Split: split,
  Squeeze: squeeze,
  Tile: tile,
  Transpose: transpose,
  Unsqueeze: unsqueeze,
};
