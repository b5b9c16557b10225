import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import type { TargetSpec } from "../tasks/target";
import type { Example } from "./example";
import type { ExampleSource, InputSpec } from "./examples";
import { type StreamedExamples, streamed } from "./streamed";

type TfData = tf.data.Dataset<tf.TensorContainer>;

/** Whatever one can learn from: a source of examples, or a `tf.data.Dataset` of them one by one. */
export type Data = ExampleSource | TfData;

export interface FromOptions {
  /** Default "tf.data". */
  name?: string;
  /** Examples; found by a pass over the data where the data set does not tell. */
  size?: number;
  /**
   * What is to be learnt. Found where it is left out: integers are classes, other numbers are values. Targets of one
   * number for each class (one-hot) are taken for a class target too.
   */
  target?: TargetSpec;
  /** Of the shuffling, see {@link streamed}. */
  buffer?: number;
}

/** A source of examples as it is, a `tf.data.Dataset` as one. */
export async function examplesOf(data: Data): Promise<ExampleSource> {
  return "iterator" in data ? from(data) : data;
}

/**
 * A `tf.data.Dataset` as a source of examples: elements `{ xs, ys }` or `[xs, ys]`, one example each (not batches), xs a
 * tensor, numbers or a record of them by input, ys what is to be learnt. Read from the first on for each pass, so its
 * elements must come in the same order every time.
 */
export async function from(data: TfData, options: FromOptions = {}): Promise<StreamedExamples> {
  const { name = "tf.data" } = options;
  const found = await look(data, name, options);
  const { target } = found;
  async function* read(signal?: AbortSignal): AsyncGenerator<Example> {
    for await (const { inputs, target: given } of elements(data, name, signal))
      yield {
        inputs: Object.fromEntries(Object.entries(inputs).map(([input, { values }]) => [input, values])),
        target: chosen(given.values, target),
      };
  }
  return streamed({ name, ...found, read, buffer: options.buffer });
}

/** Numbers of an element with what their tensor said. */
interface Part {
  shape: number[];
  dtype: "float32" | "int32";
  values: ArrayLike<number>;
}

interface Element {
  inputs: Record<string, Part>;
  target: Part;
}

/** Size, inputs and target: from options and the first element, and from a pass where they do not tell. */
async function look(
  data: TfData,
  name: string,
  options: FromOptions,
): Promise<{ size: number; inputs: InputSpec[]; target: TargetSpec }> {
  let first: Element | undefined;
  let count = 0;
  let largest = 0;
  const known = options.size ?? (Number.isInteger(data.size) && data.size > 0 ? data.size : undefined);
  for await (const element of elements(data, name)) {
    first ??= element;
    count++;
    largest = Math.max(largest, element.target.values[0]);
    const isClass = options.target === undefined && isInteger(first.target);
    if (known !== undefined && !isClass) break;
  }
  if (!first) throw new LutnnError(`${name}: the data must have at least one example (got none)`);
  const { inputs, target } = first;
  return {
    size: known ?? count,
    inputs: Object.entries(inputs).map(([input, { shape, dtype }]) => ({ name: input, shape, dtype })),
    target: options.target ?? targetFound(name, target, largest),
  };
}

const isInteger = ({ dtype, shape }: Part) => dtype === "int32" && shape.length === 0;

function targetFound(name: string, part: Part, largest: number): TargetSpec {
  if (isInteger(part)) return { kind: "class", classes: largest + 1 };
  if (part.dtype === "float32" && part.shape.length <= 1)
    return { kind: "values", length: part.values.length };
  throw new LutnnError(
    `${name}: the target must be a class or numbers to be found (got ${part.dtype} of shape ${part.shape.join("×") || "one number"}); pass { target }`,
  );
}

/** One number for each class becomes the class of the largest. */
function chosen(values: ArrayLike<number>, target: TargetSpec): number | ArrayLike<number> {
  if (target.kind !== "class" || values.length !== target.classes || target.classes === 1) return values;
  const list = Array.from(values);
  return list.indexOf(Math.max(...list));
}

/** The elements as plain numbers; no tensor is kept. */
async function* elements(data: TfData, name: string, signal?: AbortSignal): AsyncGenerator<Element> {
  const iterator = await data.iterator();
  for (let index = 0; ; index++) {
    signal?.throwIfAborted();
    const { value, done } = await iterator.next();
    if (done) return;
    const [xs, ys] = sides(value);
    if (xs === undefined || ys === undefined)
      throw new LutnnError(
        `${name}: elements must be { xs, ys } or [xs, ys] (example ${index} is not); map the data set to that form`,
      );
    const isRecord = typeof xs === "object" && !(xs instanceof tf.Tensor) && !isNumbers(xs);
    const given = isRecord ? Object.entries(xs as Record<string, unknown>) : [["input", xs] as const];
    const inputs = Object.fromEntries(
      given.map(([input, part]) => [input, partOf(part, name, input, index)]),
    );
    const target = partOf(ys, name, "ys", index);
    tf.dispose(value);
    yield { inputs, target };
  }
}

function sides(element: unknown): [unknown, unknown] {
  if (Array.isArray(element)) return element.length === 2 ? [element[0], element[1]] : [undefined, undefined];
  if (typeof element !== "object" || element === null) return [undefined, undefined];
  return [Reflect.get(element, "xs"), Reflect.get(element, "ys")];
}

const isNumbers = (part: unknown) => Array.isArray(part) || ArrayBuffer.isView(part);

function partOf(part: unknown, name: string, which: string, index: number): Part {
  const tensor = part instanceof tf.Tensor ? part : null;
  if (!tensor && typeof part !== "number" && typeof part !== "boolean" && !isNumbers(part))
    throw new LutnnError(
      `${name}: ${which} must be a tensor or numbers (got ${typeof part} in example ${index}); map the data set to that form`,
    );
  const own = tensor ?? tf.tensor(part as tf.TensorLike);
  if (own.dtype === "string" || own.dtype === "complex64")
    throw new LutnnError(
      `${name}: ${which} must be real numbers (got ${own.dtype} in example ${index}); map the data set to numbers`,
    );
  const values = own.dataSync();
  if (!tensor) own.dispose();
  return { shape: own.shape, dtype: own.dtype === "float32" ? "float32" : "int32", values };
}
