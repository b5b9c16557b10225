import * as tf from "@tensorflow/tfjs-node";
import { Slice } from "../../../layers/kinds/slice";
import { plainOrder } from "../../../onnx/layout";
import { type Draft, weightTensor } from "../draft";
import { dimsText, type Operation } from "../operation";
import { dataTypeName, numberType } from "../readTensor";
import { type Constant, dimsOf, fromFront, product, type Traced } from "../value";
import type { Build, Builders } from "./builder";

/** Rows of a table by whole numbers. */
function embedding(draft: Draft, operation: Operation, table: Constant): Traced {
  const indices = operation.traced(1);
  const plain = draft.plain(operation, indices);
  const axis = fromFront(operation.int("axis", 0), table.dims.length);
  if (table.dims.length !== 2 || axis !== 0 || plain.order[0] !== 0)
    operation.refuse(
      "rows must be gathered from a table of two axes, for each example by itself",
      `axis ${axis} of ${table.dims.join("×")} by ${dimsText(indices)}`,
      "cut the network before it with outputs",
    );
  const [inputDim, outputDim] = table.dims;
  const tensor = draft.apply(
    operation,
    plain.tensor,
    (name) => tf.layers.embedding({ inputDim, outputDim, embeddingsInitializer: "zeros", name }),
    { weights: () => [weightTensor(table, [0, 1])], weightName: table.name },
  );
  return { kind: "traced", tensor, order: plainOrder(plain.order.length + 1), type: "float32" };
}

/** Known places of one axis. */
const gather: Build = (draft, operation) => {
  const given = operation.input(0);
  if (given.kind === "constant") return embedding(draft, operation, given);
  const axis = fromFront(operation.int("axis", 0), given.order.length);
  const indices = operation.constant(1, "the indices");
  const places = dimsOf(given)[axis];
  if (places === null)
    return operation.refuse(
      "the batch must stay whole",
      `axis ${axis} of ${dimsText(given)}`,
      "cut the network before it with outputs",
    );
  const wanted = operation.wholeNumbers(indices, "the indices").map((one) => fromFront(one, places));
  const step = wanted.length > 1 ? wanted[1] - wanted[0] : 1;
  if (indices.dims.length > 1 || step === 0 || wanted.some((one, i) => one !== wanted[0] + i * step))
    operation.refuse(
      "places must be one, or evenly spaced",
      wanted.join(", "),
      "cut the network before it with outputs",
    );
  const tensor = draft.apply(
    operation,
    given.tensor,
    (name) => new Slice({ axis: given.order[axis], start: wanted[0], length: wanted.length, step, name }),
  );
  const taken = { ...given, tensor };
  if (indices.dims.length === 1) return taken;
  return draft.withUnits(
    operation,
    taken,
    dimsOf(taken).filter((_, i) => i !== axis),
  );
};

/** Whole numbers as others: nothing changes but how they are stored. */
const cast: Build = (draft, operation) => {
  const x = operation.traced(0);
  const to = operation.int("to", 1);
  const type =
    numberType(to) ??
    operation.refuse("the type must be one of numbers", dataTypeName(to), "export the network in float32");
  if (type === x.type || x.oneHot) return { ...x, type };
  if (type !== "float32")
    return operation.refuse(
      "numbers that are computed must stay float32, or stay whole",
      `${x.type} to ${dataTypeName(to)}`,
      "cut the network before it with outputs",
    );
  const tensor = draft.apply(operation, x.tensor, (name) =>
    tf.layers.rescaling({ scale: 1, offset: 0, name }),
  );
  return { ...x, tensor, type };
};

/** Whether a constant counts 0, 1, 2 … along its last axis, alone. */
const counts = ({ data, dims }: Constant): boolean =>
  dims[dims.length - 1] === product(dims) && Array.from(data).every((value, i) => value === i);

/** Whole numbers compared with all there are: a row of zeros and a one for each. */
const equal: Build = (draft, operation) => {
  const a = operation.input(0);
  const x = a.kind === "traced" ? a : operation.traced(1);
  const all = a.kind === "constant" ? a : operation.constant(1, "what is compared with");
  const dims = dimsOf(x);
  if (x.type === "float32" || dims[dims.length - 1] !== 1 || !counts(all) || all.dims.length > dims.length)
    operation.refuse(
      "whole numbers must be compared with 0, 1, 2 … along a last axis of their own",
      `${dimsText(x)} with ${all.dims.join("×")}`,
      "cut the network before it with outputs",
    );
  const indices = draft.withUnits(operation, x, dims.slice(0, -1));
  return { ...x, type: "bool", oneHot: { indices, depth: product(all.dims) } };
};

const oneHot: Build = (_draft, operation) => {
  const indices = operation.traced(0);
  const [depth] = operation.wholeNumbers(operation.constant(1, "the depth"), "the depth");
  const values = operation.wholeNumbers(operation.constant(2, "the values"), "the values");
  const axis = operation.int("axis", -1);
  if (values[0] !== 0 || values[1] !== 1 || (axis !== -1 && axis !== indices.order.length))
    operation.refuse(
      "rows must have zeros and a one, along the last axis",
      `${values.join(" and ")} along axis ${axis}`,
      "cut the network before it with outputs",
    );
  return { ...indices, type: "float32", oneHot: { indices, depth } };
};

export const lookups: Builders = { Cast: cast, Equal: equal, Gather: gather, OneHot: oneHot };
