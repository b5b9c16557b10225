import type * as tf from "@tensorflow/tfjs-node";
import { nativeBackend, nativeStatus } from "../compute/backend";
import { LutnnError } from "../errors";
import type { ExportedLookup, LookupLayer } from "../layers/lookupLayer";
import { LutConv2D } from "../layers/lutConv2d";

/** The native backend. Throws LutnnError when it does not load: who asks for it by name gets nothing else. */
export function requireNative(): NonNullable<ReturnType<typeof nativeBackend>> {
  const native = nativeBackend();
  if (native) return native;
  const status = nativeStatus();
  throw new LutnnError(
    `the native backend must be built to be used (${status.available ? "" : status.reason}); run npm run setup`,
  );
}

/** A replaced layer in the native backend. Images are channels first. */
export interface NativeLayer {
  lookup: ExportedLookup;
  /** Output positions (rows) that one input gives. */
  positions: number;
  /** What computes, each time it is called: x float32 of `count` inputs → y float32 (count, M, height, width) or (rows, M) */
  bind(x: Float32Array, count: number, y: Float32Array): () => void;
  /** → uint8 (positions, C) */
  encode(x: Float32Array, count: number): Uint8Array;
  /** codes → int32 (positions, M) */
  accumulate(codes: Uint8Array): Int32Array;
}

/** Puts a lookup layer of a built network into the native backend. */
export function nativeLayer(layer: LookupLayer): NativeLayer {
  const native = requireNative();
  const lookup = layer.exportLookup();
  const { numCodebooks, outputs } = lookup;
  const inputShape = (layer.input as tf.SymbolicTensor).shape.slice(1) as number[];
  if (layer instanceof LutConv2D) {
    const [height, width] = inputShape;
    const operator = new native.LutConv(lookup, layer.window);
    const size = operator.outputSize(height, width);
    const positions = size[0] * size[1];
    return {
      lookup,
      positions,
      bind: (x, count, y) => operator.bind(x, count, height, width, y),
      encode: (x, count) => {
        const codes = new Uint8Array(count * positions * numCodebooks);
        operator.encode(x, count, height, width, codes);
        return codes;
      },
      accumulate: (codes) => {
        const sums = new Int32Array((codes.length / numCodebooks) * outputs);
        operator.lookup(codes, codes.length / numCodebooks, sums);
        return sums;
      },
    };
  }
  const operator = new native.LutMatMul(lookup);
  const positions = inputShape.slice(0, -1).reduce((product, length) => product * length, 1);
  return {
    lookup,
    positions,
    bind: (x, count, y) => operator.bind(x, count * positions, y),
    encode: (x, count) => {
      const codes = new Uint8Array(count * positions * numCodebooks);
      operator.encode(x, count * positions, codes);
      return codes;
    },
    accumulate: (codes) => {
      const sums = new Int32Array((codes.length / numCodebooks) * outputs);
      operator.lookup(codes, codes.length / numCodebooks, sums);
      return sums;
    },
  };
}
