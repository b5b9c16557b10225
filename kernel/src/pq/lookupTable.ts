import { LutnnError } from "../errors";
import { accelerated } from "./acceleration";

/** One scale for the whole layer (profile `paper`) or one per output (profile `plus`). */
export type TableScaleMode = "layer" | "output";

/** Bits of a table entry: 8 is what inference has; "float" is the real table. */
export type TableBits = 4 | 6 | 7 | 8 | 16 | "float";

/** The largest entry of a symmetric table of so many bits. */
export const largestInteger = (bits: Exclude<TableBits, "float">): number => 2 ** (bits - 1) - 1;

/** An integer lookup table: real value = int8 × scale of its output. */
export interface LookupTable {
  /** int8 (C, K, M) */
  values: Int8Array;
  /** float32 (M); all equal in mode "layer" */
  scale: Float32Array;
}

/** From here on floats of double precision are whole numbers, and their sums round half to even. */
const wholeFrom = 1.5 * 2 ** 52;

/** Round half to even, as TensorFlow and ONNX do; |x| below 2⁵¹. */
export const roundHalfToEven = (x: number): number => x + wholeFrom - wholeFrom;

/**
 * Symmetric quantisation, zero point 0: scale = max|table| / 127 (over the layer, or per output), value =
 * clamp(round(table / scale), −127, 127), and less than 127 for fewer bits. A table (or output) that is zero, or so small
 * that its scale would be, gets scale 1.
 * table float32 (C, K, M) → int8 (C, K, M), float32 (M). Throws LutnnError on more than 8 bits: inference has bytes.
 */
export function quantizeTable(
  table: Float32Array,
  outputs: number,
  mode: TableScaleMode,
  bits: TableBits = 8,
): LookupTable {
  if (bits === "float" || bits > 8)
    throw new LutnnError(
      `quantizeTable: a table for inference has at most 8 bits (got ${bits}); wider ones are for training alone`,
    );
  const limit = largestInteger(bits);
  if (table.length === 0 || table.length % outputs !== 0)
    throw new LutnnError(
      `quantizeTable: the table must hold a positive multiple of ${outputs} outputs (got ${table.length} numbers)`,
    );
  const made = { values: new Int8Array(table.length), scale: new Float32Array(outputs) };
  const fast = accelerated("quantizeTable");
  const rows = table.length / outputs;
  if (fast?.(table, rows, outputs, mode === "output", limit, made.values, made.scale)) return made;
  const largest = new Float64Array(outputs);
  for (let i = 0; i < table.length; )
    for (let m = 0; m < outputs; m++, i++) {
      const size = Math.abs(table[i]);
      if (!(size < Number.POSITIVE_INFINITY))
        throw new LutnnError(
          `quantizeTable: all table values must be finite (got ${table[i]} at index ${i})`,
        );
      if (size > largest[m]) largest[m] = size;
    }
  if (mode === "layer") largest.fill(largest.reduce((a, b) => Math.max(a, b), 0));
  const { values, scale } = made;
  largest.forEach((value, m) => {
    scale[m] = Math.fround(value / limit) || 1;
  });
  for (let i = 0; i < values.length; )
    for (let m = 0; m < outputs; m++, i++) {
      const steps = roundHalfToEven(Math.fround(table[i] / scale[m]));
      values[i] = steps > limit ? limit : steps < -limit ? -limit : steps;
    }
  return made;
}

/** int8 × scale: the real table that the integer sums stand for, float32 (C, K, M). */
export function dequantizeTable({ values, scale }: LookupTable): Float32Array {
  return Float32Array.from(values, (value, i) => value * scale[i % scale.length]);
}
