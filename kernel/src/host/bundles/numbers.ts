// Typed arrays and tensors: what they are, their spread, and some of their values.
import type { MimeBundle } from "../host";
import { tableBundle } from "./table";

/** Values of a list that are written out. */
const mostValues = 20;
/** Values that minimum, mean and maximum are taken of: enough, and quickly done. */
const mostSummed = 1 << 25;
/** A matrix with at most this many entries a side is also shown as a table. */
const largestTable = 12;

export type NumericArray = ArrayLike<number> | ArrayLike<bigint>;

export const isTypedArray = (value: unknown): value is NumericArray & object =>
  ArrayBuffer.isView(value) && !(value instanceof DataView);

/** A typed array, with minimum, mean and maximum. */
export function typedArrayBundle(array: NumericArray & object): MimeBundle {
  const type = array.constructor.name;
  return { "text/plain": `${type}(${array.length})${spread(array)}\n${list(array)}` };
}

/** What is used of a tensor, so that TensorFlow.js need not be loaded to recognise one. */
export interface TensorLike {
  shape: number[];
  dtype: string;
  size: number;
  isDisposed: boolean;
  dataSync(): ArrayLike<number> | string[];
  toString(): string;
}

export function isTensor(value: object): value is TensorLike {
  const tensor = value as Partial<TensorLike>;
  return (
    Array.isArray(tensor.shape) &&
    typeof tensor.dtype === "string" &&
    typeof tensor.isDisposed === "boolean" &&
    typeof tensor.dataSync === "function"
  );
}

/** A tensor: type and shape, spread and values, and as a table where it is a small matrix. */
export function tensorBundle(tensor: TensorLike): MimeBundle {
  const title = `Tensor ${tensor.dtype} [${tensor.shape.join(", ")}]`;
  if (tensor.isDisposed) return { "text/plain": `${title}, disposed` };
  const values = tensor.dataSync();
  const numbers = tensor.dtype === "string" ? null : (values as ArrayLike<number>);
  const text = `${title}${numbers ? spread(numbers) : ""}\n${tensor.toString().replace(/^Tensor\n\s*/, "")}`;
  const [rows, columns] = tensor.shape;
  if (tensor.shape.length !== 2 || rows > largestTable || columns > largestTable || tensor.size === 0)
    return { "text/plain": text };
  const names = Array.from({ length: columns }, (_, column) => String(column));
  const rowAt = (row: number) =>
    names.map((_, column) => {
      const value = values[row * columns + column];
      return typeof value === "number" ? Number(value.toPrecision(5)) : value;
    });
  const caption = text.slice(0, text.indexOf("\n"));
  return { ...tableBundle(names, rows, rowAt, caption), "text/plain": text };
}

function spread(array: NumericArray): string {
  if (array.length === 0) return "";
  let [minimum, maximum, sum, notFinite] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  const summed = Math.min(array.length, mostSummed);
  for (let index = 0; index < summed; index++) {
    const value = Number(array[index]);
    if (!Number.isFinite(value)) {
      notFinite++;
      continue;
    }
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
    sum += value;
  }
  const finite = summed - notFinite;
  const range = finite > 0 ? `, ${short(minimum)} … ${short(maximum)}, mean ${short(sum / finite)}` : "";
  const ofFirst = summed < array.length ? ` (of the first ${summed})` : "";
  return `${range}${notFinite > 0 ? `, ${notFinite} not finite` : ""}${ofFirst}`;
}

function list(array: NumericArray): string {
  const shown = Array.from({ length: Math.min(array.length, mostValues) }, (_, index) => {
    const value = array[index];
    return typeof value === "number" ? short(value) : `${value}n`;
  });
  const rest = array.length - shown.length;
  return `[${shown.join(", ")}${rest > 0 ? `, … ${rest} more` : ""}]`;
}

const short = (value: number) => String(Number(value.toPrecision(5)));
