import type { OperatorOptions } from "lutnn-native";
import { nativeBackend, nativeStatus } from "../compute/backend";
import type { ConvWindow } from "../compute/imageWindows";
import { LutnnError } from "../errors";
import type { ExportedLookup, LookupLayer } from "../layers/lookupLayer";
import { LutConvolution } from "../layers/lutConvolution";
import { convWindow } from "../layers/window";
import { toChannelsFirst, toChannelsLast } from "./layout";

/** The native backend. Throws LutnnError when it does not load: who asks for it by name gets nothing else. */
export function requireNative(): NonNullable<ReturnType<typeof nativeBackend>> {
  const native = nativeBackend();
  if (native) return native;
  const status = nativeStatus();
  throw new LutnnError(
    `the native backend must be built to be used (${status.available ? "" : status.reason}); run npm run setup`,
  );
}

/** A call of a replaced layer in the native backend, for inputs of one shape. Rows are as the layer's `inputRows`. */
export interface NativeLayer {
  lookup: ExportedLookup;
  /** Output rows (positions) that one example gives. */
  positions: number;
  /** x as in tf.js → as the backend takes it: images channels first, everything else as it is. */
  arrange(x: Float32Array): Float32Array;
  /** What computes, each time it is called: arranged x of `count` examples → y float32, in the backend's order */
  bind(x: Float32Array, count: number, y: Float32Array): () => void;
  /** y in the backend's order → float32 (rows, M) */
  rowsOf(y: Float32Array): Float32Array;
  /** arranged x → uint8 (rows, C) */
  encode(x: Float32Array, count: number): Uint8Array;
  /** codes → int32 (rows, M) */
  accumulate(codes: Uint8Array): Int32Array;
}

/** How the backend finds the codes of a lookup: as they are defined. */
const optionsOf = ({ integers }: ExportedLookup): OperatorOptions => {
  if (!integers) return {};
  const { input, centroids, halfNorms } = integers;
  const codes = { inputScale: input.scale, inputZeroPoint: input.zeroPoint, centroids, halfNorms };
  return { encoding: "integer", integers: codes };
};

/** The image, channels last, and the window that a layer moves over it; null for a layer on rows. */
function imageOf(
  layer: LookupLayer,
  shape: readonly number[],
): { image: readonly number[]; window: ConvWindow } | null {
  if (!(layer instanceof LutConvolution)) return null;
  const image = shape.length === 2 ? [1, ...shape] : shape; // a sequence is an image of height 1
  return { image, window: convWindow(layer.getConfig(), shape) };
}

/**
 * Puts a call of a lookup layer into the native backend.
 * @param shape of one example of its input, as in tf.js
 */
export function nativeLayer(layer: LookupLayer, shape: readonly number[]): NativeLayer {
  const native = requireNative();
  const lookup = layer.exportLookup();
  const { numCodebooks, outputs } = lookup;
  const found = imageOf(layer, shape);
  const sumsOf =
    (operator: { lookup(codes: Uint8Array, rows: number, sums: Int32Array): void }) =>
    (codes: Uint8Array): Int32Array => {
      const rows = codes.length / numCodebooks;
      const sums = new Int32Array(rows * outputs);
      operator.lookup(codes, rows, sums);
      return sums;
    };
  if (found) {
    const { image, window } = found;
    const [height, width] = image;
    const operator = new native.LutConv(lookup, window, optionsOf(lookup));
    const size = operator.outputSize(height, width);
    const positions = size[0] * size[1];
    return {
      lookup,
      positions,
      arrange: (x) => toChannelsFirst(x, image),
      bind: (x, count, y) => operator.bind(x, count, height, width, y),
      rowsOf: (y) => toChannelsLast(y, [outputs, ...size]),
      encode: (x, count) => {
        const codes = new Uint8Array(count * positions * numCodebooks);
        operator.encode(x, count, height, width, codes);
        return codes;
      },
      accumulate: sumsOf(operator),
    };
  }
  const operator = new native.LutMatMul(lookup, optionsOf(lookup));
  const positions = shape.slice(0, -1).reduce((product, length) => product * length, 1);
  return {
    lookup,
    positions,
    arrange: (x) => x,
    bind: (x, count, y) => operator.bind(x, count * positions, y),
    rowsOf: (y) => y,
    encode: (x, count) => {
      const codes = new Uint8Array(count * positions * numCodebooks);
      operator.encode(x, count * positions, codes);
      return codes;
    },
    accumulate: sumsOf(operator),
  };
}
