// Values that stand in for an argument: of another kind, out of every range, in memory that must not be used.
import { below, oneOf } from "./random.mjs";

/** Thrown by getters, so that what passes through is known. */
export class FromGetter extends Error {}

/** Memory that a second argument was put over. */
const overlaid = new WeakSet();
export const isOverlaid = ({ buffer }) => overlaid.has(buffer);

const transferred = (array) => {
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
};

/** No argument is taken as any of these. */
const neverRight = [
  () => null,
  () => "16",
  () => 5n,
  () => Symbol("s"),
  () => () => 1,
  () => [],
  () => ({}),
  () => new Proxy({}, {}),
  () => new Date(),
  () => new ArrayBuffer(64),
  () => new DataView(new ArrayBuffer(64)),
  () => new Array(4294967295),
  () => new Array(50_000_000),
  () => Object.create(null),
];

const numbers = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 53,
  2 ** 63,
  -(2 ** 53),
  2 ** 31,
  2 ** 32,
  2 ** 31 - 1,
  -1,
  -0.5,
  0.5,
  0,
  -0,
  1e300,
  5e-324,
  257,
  true,
];

const ArrayKinds = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];

const spoiledNumber = (number, random) =>
  oneOf(random, [
    () => oneOf(random, numbers),
    () => number + 1,
    () => number - 1,
    () => number * 2 ** 20,
    () => -number - 1,
  ])();

/** Typed arrays in place of one of the same type and length. */
const arrays = {
  detached: (array) => transferred(array.slice()),
  shared: (array) => {
    const made = new array.constructor(new SharedArrayBuffer(Math.max(8, array.byteLength)), 0, array.length);
    made.set(array);
    return made;
  },
  /** Over the memory of another argument. */
  overlapping: (array, random, others) => {
    const other = oneOf(random, others.filter(({ buffer }) => buffer.byteLength > 0).concat(array));
    const start = below(random, 2) * array.BYTES_PER_ELEMENT;
    const fits = other.buffer instanceof ArrayBuffer && start + array.byteLength <= other.buffer.byteLength;
    if (!fits) return array.subarray(1);
    overlaid.add(other.buffer);
    return new array.constructor(other.buffer, start, array.length);
  },
  /** Its memory has become smaller than it is. */
  resized: (array, random) => {
    const memory = new ArrayBuffer(array.byteLength, { maxByteLength: array.byteLength + 64 });
    const made = oneOf(random, [
      () => new array.constructor(memory, 0, array.length),
      () => new array.constructor(memory),
    ])();
    memory.resize(Math.max(0, array.byteLength - 8));
    return made;
  },
  shorter: (array) => array.slice(1),
  longer: (array) => new array.constructor(array.length + 1),
  empty: (array) => new array.constructor(0),
  ofAnotherKind: (array, random) => new (oneOf(random, ArrayKinds))(array.length),
  plain: (array) => Array.from(array),
  behindProxy: (array) => new Proxy(array, {}),
  withNoNumbers: (array) =>
    array instanceof Float32Array || array instanceof Float64Array
      ? array.slice().fill(Number.NaN)
      : array.slice().fill(array instanceof BigInt64Array ? -1n : -1),
  subclassed: (array) => {
    class Own extends array.constructor {
      get length() {
        return 2 ** 30;
      }
    }
    return Own.from(array);
  },
};

/** An object whose property is read by JavaScript that throws, or pulls an argument's memory away. */
function sly(object, random, others) {
  const key = oneOf(random, Object.keys(object));
  const value = object[key];
  const does = oneOf(random, [
    () => {
      throw new FromGetter("from a getter");
    },
    () => {
      for (const other of others)
        if (other.buffer instanceof ArrayBuffer && other.byteLength > 0) transferred(other);
    },
  ]);
  return Object.defineProperty({ ...object }, key, {
    enumerable: true,
    get: () => {
      does();
      return value;
    },
  });
}

/**
 * @param {unknown} value an argument, or a property of one
 * @param {() => number} random
 * @param {ArrayBufferView[]} others typed arrays of the call
 */
export function spoiled(value, random, others) {
  if (random() < 0.15) return undefined;
  if (random() < 0.25) return oneOf(random, neverRight)();
  if (typeof value === "number") return spoiledNumber(value, random);
  if (typeof value === "boolean") return oneOf(random, [1, 0, "true", null, !value]);
  if (typeof value === "string")
    return oneOf(random, ["", `${value}x`, "\0", "x".repeat(1 << 16), `${value}\0`, "\ud800", 7]);
  if (ArrayBuffer.isView(value)) return oneOf(random, Object.values(arrays))(value, random, others);
  if (Array.isArray(value))
    return oneOf(random, [[], [...value, ...value], [undefined], value[0], { length: value.length }]);
  if (typeof value === "object" && value !== null) return sly(value, random, others);
  return oneOf(random, numbers);
}
