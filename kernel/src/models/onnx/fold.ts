import { TensorProto_DataType as DataType } from "../../onnx/onnx_pb";
import { broadcastDims, spreadPlaces } from "./broadcast";
import type { Operation } from "./operation";
import { numberType } from "./readTensor";
import { sliceRanges } from "./slices";
import { type Constant, dimsOf, fromFront, isPerExample, type NumberType, product } from "./value";

/** Computes what a node makes of constants. */
type Fold = (operation: Operation, inputs: Constant[]) => Constant | Constant[];

const constant = (
  type: NumberType,
  dims: number[],
  data: ArrayLike<number>,
  perExample?: ArrayLike<number>,
): Constant => ({
  kind: "constant",
  type,
  dims,
  data: type === "float32" && !(data instanceof Float32Array) ? Float32Array.from(data) : data,
  ...(perExample && Array.from(perExample).some((one) => one !== 0) ? { perExample } : {}),
});

/** The same numbers, or some of them, at other places. */
const picked = (x: Constant, dims: number[], places: ArrayLike<number>): Constant =>
  constant(
    x.type,
    dims,
    Float64Array.from(places, (place) => x.data[place]),
    x.perExample && Array.from(places, (place) => x.perExample![place]),
  );

/** The numbers of a constant that must not depend on the batch. */
const fixed = (operation: Operation, x: Constant): ArrayLike<number> =>
  operation.fixed(x, "what it computes with");

/** The same of a constant that is a list of lengths or places. */
const listed = (operation: Operation, x: Constant): number[] =>
  operation.wholeNumbers(x, "what it computes with");

/** A constant of as many numbers, each made of one. */
function mapped(
  operation: Operation,
  x: Constant,
  type: NumberType,
  data: ArrayLike<number>,
  compute: (x: number) => number,
): Constant {
  operation.boundConstant(x.dims);
  return constant(type, x.dims, Float64Array.from(data, compute), x.perExample);
}

const unary =
  (compute: (x: number) => number, type?: NumberType): Fold =>
  (operation, [x]) =>
    mapped(operation, x, type ?? x.type, fixed(operation, x), compute);

function spread(operation: Operation, a: Constant, b: Constant) {
  const dims =
    broadcastDims(a.dims, b.dims) ??
    operation.refuse(
      "inputs must spread over each other",
      `${a.dims.join("×")} and ${b.dims.join("×")}`,
      "the file is damaged: export it anew",
    );
  operation.boundConstant(dims);
  return { dims, atA: spreadPlaces(a.dims, dims), atB: spreadPlaces(b.dims, dims) };
}

const binary =
  (compute: (x: number, y: number, isWhole: boolean) => number, type?: NumberType): Fold =>
  (operation, [a, b]) => {
    const { dims, atA, atB } = spread(operation, a, b);
    const [x, y] = [fixed(operation, a), fixed(operation, b)];
    const isWhole = a.type !== "float32";
    return constant(
      type ?? a.type,
      dims,
      Float64Array.from(atA, (place, i) => compute(x[place], y[atB[i]], isWhole)),
    );
  };

/** Sums and differences of numbers that may depend on the batch. */
const linear =
  (sign: 1 | -1): Fold =>
  (operation, [a, b]) => {
    const { dims, atA, atB } = spread(operation, a, b);
    const sums = (x: ArrayLike<number>, y: ArrayLike<number>) =>
      Float64Array.from(atA, (place, i) => (x[place] ?? 0) + sign * (y[atB[i]] ?? 0));
    const perExample =
      a.perExample || b.perExample ? sums(a.perExample ?? [], b.perExample ?? []) : undefined;
    return constant(a.type, dims, sums(a.data, b.data), perExample);
  };

/** Products and quotients, one side of which may depend on the batch. */
const scaling =
  (compute: (x: number, y: number, isWhole: boolean) => number): Fold =>
  (operation, [a, b]) => {
    if (!isPerExample(a) && !isPerExample(b)) return binary(compute)(operation, [a, b]);
    const isProduct = operation.opType === "Mul";
    const [x, y] = isProduct && isPerExample(b) ? [b, a] : [a, b];
    const factors = fixed(operation, y);
    const { dims, atA, atB } = spread(operation, x, y);
    const results = (numbers: ArrayLike<number>) =>
      Float64Array.from(atA, (place, i) => {
        const exact = isProduct ? numbers[place] * factors[atB[i]] : numbers[place] / factors[atB[i]];
        if (a.type === "float32" || Number.isInteger(exact)) return exact;
        return operation.refuse(
          "the length of the batch must be divided without a rest",
          `${numbers[place]} by ${factors[atB[i]]}`,
          "export the network with a batch of fixed length",
        );
      });
    return constant(x.type, dims, results(x.data), results(x.perExample!));
  };

const divide = (x: number, y: number, isWhole: boolean) => (isWhole ? Math.trunc(x / y) : x / y);

/** Along one axis: the places that are taken. */
function along(operation: Operation, x: Constant, axis: number, places: readonly number[]): Constant {
  const dims = x.dims.map((one, i) => (i === axis ? places.length : one));
  operation.boundConstant(dims);
  const outside = places.find((place) => !(place >= 0 && place < x.dims[axis]));
  if (outside !== undefined)
    operation.refuse(
      "places must be of its input",
      `${outside} of ${x.dims[axis]}`,
      "the file is damaged: export it anew",
    );
  const [before, after] = [product(x.dims.slice(0, axis)), product(x.dims.slice(axis + 1))];
  const length = x.dims[axis];
  const all: number[] = [];
  for (let i = 0; i < before; i++)
    for (const place of places) for (let j = 0; j < after; j++) all.push((i * length + place) * after + j);
  return picked(x, dims, all);
}

const withDims = (x: Constant, dims: number[]): Constant => ({ ...x, dims });

/** The same numbers under other lengths, of which there are as many. */
function reshaped(operation: Operation, x: Constant, dims: number[]): Constant {
  operation.boundConstant(dims);
  if (product(dims) !== product(x.dims))
    operation.refuse(
      `its lengths must be of ${product(x.dims)} numbers`,
      dims.join("×") || "one number",
      "the file is damaged: export it anew",
    );
  return withDims(x, dims);
}

const gather: Fold = (operation, [x, indices]) => {
  const axis = fromFront(operation.int("axis", 0), x.dims.length);
  const places = listed(operation, indices).map((one) => fromFront(one, x.dims[axis]));
  const taken = along(operation, x, axis, places);
  return withDims(taken, [...x.dims.slice(0, axis), ...indices.dims, ...x.dims.slice(axis + 1)]);
};

const concat: Fold = (operation, inputs) => {
  const rank = inputs[0].dims.length;
  const axis = fromFront(operation.int("axis", 0), rank);
  const before = product(inputs[0].dims.slice(0, axis));
  const dims = inputs[0].dims.map((length, i) =>
    i === axis ? inputs.reduce((sum, x) => sum + x.dims[i], 0) : length,
  );
  operation.boundConstant(dims);
  const others = (x: Constant) => x.dims.filter((_, i) => i !== axis).join("×");
  const odd = inputs.find((x) => x.dims.length !== rank || others(x) !== others(inputs[0]));
  if (odd)
    operation.refuse(
      "inputs must have the same lengths but for the axis that they are put behind each other on",
      `${inputs[0].dims.join("×")} and ${odd.dims.join("×")}`,
      "the file is damaged: export it anew",
    );
  const joined = (numbersOf: (x: Constant) => ArrayLike<number>) => {
    const data = new Float64Array(product(dims));
    let at = 0;
    for (let i = 0; i < before; i++)
      for (const x of inputs) {
        const [numbers, size] = [numbersOf(x), product(x.dims.slice(axis))];
        for (let j = i * size; j < (i + 1) * size; j++) data[at++] = numbers[j] ?? 0;
      }
    return data;
  };
  const perExample = inputs.some(isPerExample) ? joined((x) => x.perExample ?? []) : undefined;
  return constant(
    inputs[0].type,
    dims,
    joined(({ data }) => data),
    perExample,
  );
};

const reshape: Fold = (operation, [x, target]) => {
  const wanted = listed(operation, target).map((length, i) =>
    length === 0 && operation.int("allowzero", 0) === 0 ? x.dims[i] : length,
  );
  const rest = product(wanted.filter((length) => length !== -1));
  return reshaped(
    operation,
    x,
    wanted.map((length) => (length === -1 ? product(x.dims) / rest : length)),
  );
};

const transpose: Fold = (operation, [x]) => {
  const perm = operation.ints("perm") ?? x.dims.map((_, i) => x.dims.length - 1 - i);
  const strides = x.dims.map((_, i) => product(x.dims.slice(i + 1)));
  const dims = perm.map((axis) => x.dims[axis]);
  operation.boundConstant(dims);
  const index = dims.map(() => 0);
  const places = Int32Array.from({ length: product(dims) }, () => {
    const place = perm.reduce((sum, axis, i) => sum + index[i] * strides[axis], 0);
    for (let i = dims.length - 1; i >= 0; i--) {
      if (++index[i] < dims[i]) break;
      index[i] = 0;
    }
    return place;
  });
  return picked(x, dims, places);
};

const expand: Fold = (operation, [x, shape]) => {
  const wanted = listed(operation, shape);
  const dims =
    broadcastDims(x.dims, wanted) ??
    operation.refuse("the shape must fit the input", wanted.join("×"), "the file is damaged: export it anew");
  operation.boundConstant(dims);
  return picked(x, dims, spreadPlaces(x.dims, dims));
};

const slice: Fold = (operation, [x]) =>
  sliceRanges(operation, x.dims).reduce((part, { axis, start, length, step }) => {
    const places = Array.from({ length }, (_, i) => start + i * step);
    return along(operation, part, axis, places);
  }, x);

const squeeze: Fold = (operation, [x]) => {
  const axes = operation.intsOf("axes", 1)?.map((axis) => fromFront(axis, x.dims.length));
  return reshaped(
    operation,
    x,
    x.dims.filter((length, i) => !(axes ? axes.includes(i) : length === 1)),
  );
};

const unsqueeze: Fold = (operation, [x]) => {
  const given = operation.intsOf("axes", 1) ?? [];
  const rank = x.dims.length + given.length;
  const axes = given.map((axis) => fromFront(axis, rank));
  let next = 0;
  return reshaped(
    operation,
    x,
    Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : x.dims[next++])),
  );
};

const cast: Fold = (operation, [x]) => {
  const type =
    numberType(operation.int("to", DataType.FLOAT)) ??
    operation.refuse(
      "the type must be one of numbers",
      operation.int("to", 0),
      "export the network in float32",
    );
  const convert = (value: number) =>
    type === "bool" ? Number(value !== 0) : type === "int64" ? Math.trunc(value) : value;
  return mapped(operation, x, type, x.data, convert);
};

const constantOfShape: Fold = (operation, [shape]) => {
  const value = operation.tensor("value");
  const dims = listed(operation, shape);
  const type = value?.type ?? "float32";
  operation.boundConstant(dims, true);
  const data = type === "float32" ? new Float32Array(product(dims)) : new Float64Array(product(dims));
  return constant(type, dims, data.fill(value?.data[0] ?? 0));
};

const range: Fold = (operation, [start, limit, delta]) => {
  const [from, to, step] = [start, limit, delta].map((one) => fixed(operation, one)[0]);
  const length = Math.max(0, Math.ceil((to - from) / step));
  operation.boundConstant([length]);
  return constant(
    start.type,
    [length],
    Float64Array.from({ length }, (_, i) => from + i * step),
  );
};

const where: Fold = (operation, [condition, a, b]) => {
  const { dims } = spread(operation, a, b);
  const all = spread(operation, condition, { ...a, dims }).dims;
  const [atCondition, atA, atB] = [condition, a, b].map((one) => spreadPlaces(one.dims, all));
  const chosen = fixed(operation, condition);
  const choose = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    Float64Array.from(atCondition, (place, i) => (chosen[place] ? x[atA[i]] : y[atB[i]]) ?? 0);
  const perExample =
    a.perExample || b.perExample ? choose(a.perExample ?? [], b.perExample ?? []) : undefined;
  return constant(a.type, all, choose(a.data, b.data), perExample);
};

const reduceProduct: Fold = (operation, [x]) => {
  const numbers = listed(operation, x);
  if (x.dims.length > 1)
    operation.refuse(
      "a product of constants must be over one axis",
      x.dims.join("×"),
      "export the network with constants folded",
    );
  return constant(x.type, operation.int("keepdims", 1) ? [1] : [], [product(numbers)]);
};

const constantNode: Fold = (operation) => {
  const tensor = operation.tensor("value");
  if (tensor) return { ...tensor, name: operation.node.output[0] };
  const numbers = operation.ints("value_ints") ?? operation.floats("value_floats");
  if (numbers) return constant(operation.has("value_ints") ? "int64" : "float32", [numbers.length], numbers);
  if (operation.has("value_int")) return constant("int64", [], [operation.int("value_int", 0)]);
  if (operation.has("value_float")) return constant("float32", [], [operation.float("value_float", 0)]);
  return operation.refuse(
    "a constant must be one of numbers",
    operation.node.attribute.map(({ name }) => name).join(", ") || "nothing",
    "export the network with other constants",
  );
};

const isTrue = (holds: boolean): number => Number(holds);

const folds: Record<string, Fold> = {
  Abs: unary(Math.abs),
  Add: linear(1),
  And: binary((x, y) => isTrue(x !== 0 && y !== 0)),
  Cast: cast,
  Ceil: unary(Math.ceil),
  Concat: concat,
  Constant: constantNode,
  ConstantOfShape: constantOfShape,
  Div: scaling(divide),
  Equal: binary((x, y) => isTrue(x === y), "bool"),
  Exp: unary(Math.exp),
  Expand: expand,
  Floor: unary(Math.floor),
  Gather: gather,
  Greater: binary((x, y) => isTrue(x > y), "bool"),
  Identity: (_operation, [x]) => x,
  Less: binary((x, y) => isTrue(x < y), "bool"),
  Max: binary((x, y) => Math.max(x, y)),
  Min: binary((x, y) => Math.min(x, y)),
  Mod: binary((x, y) => x - Math.floor(x / y) * y),
  Mul: scaling((x, y) => x * y),
  Neg: unary((x) => -x),
  Not: unary((x) => isTrue(x === 0)),
  Pow: binary((x, y) => x ** y),
  Range: range,
  Reciprocal: unary((x) => 1 / x),
  ReduceProd: reduceProduct,
  Reshape: reshape,
  Slice: slice,
  Sqrt: unary(Math.sqrt),
  Squeeze: squeeze,
  Sub: linear(-1),
  Transpose: transpose,
  Unsqueeze: unsqueeze,
  Where: where,
};

/** The lengths of a value, that of the batch one for each example. */
const shapeOf: Fold = (operation) => {
  const value = operation.input(0);
  const all = value.kind === "constant" ? value.dims : dimsOf(value);
  const [start, end] = [operation.int("start", 0), operation.int("end", all.length)];
  const dims = all.slice(fromFront(start, all.length), fromFront(end, all.length));
  return constant(
    "int64",
    [dims.length],
    dims.map((length) => length ?? 0),
    dims.map((length) => Number(length === null)),
  );
};

/** Operators that only rearrange: what they make of a weight is still called by its name. */
const renaming = new Set(["Identity", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Cast"]);

/** Takes the room of what a node has made of constants, but for what lies in one of them. */
function count({ opType, room }: Operation, known: readonly Constant[], results: readonly Constant[]): void {
  const given = new Set(known.map(({ data }) => data));
  for (const { data } of results) {
    if (opType === "Constant") room.add(data.length);
    else if (!given.has(data)) room.take(data.length, opType === "ConstantOfShape");
  }
}

/** What a node makes where that does not depend on the network's inputs; null where it does. */
export function fold(operation: Operation): Constant[] | null {
  const { opType, inputs } = operation;
  if (opType === "Shape") return [shapeOf(operation, [])].flat();
  const known = inputs.filter((value): value is Constant => value?.kind === "constant");
  const made = known.length === inputs.filter((value) => value !== null).length ? folds[opType] : undefined;
  if (!made) return null;
  const results = [made(operation, known)].flat();
  count(operation, known, results);
  return renaming.has(opType) ? results.map((result) => ({ ...result, name: known[0].name })) : results;
}
