import { NearTies } from "../../../kernel/lib/inference/nearTies";
import {
  encodeIntegersReference,
  encodeReference,
  type InputQuantization,
  integerProductReference,
  lookupReference,
  quantizeInputReference,
  scaleSumsReference,
} from "../../../kernel/lib/pq/reference";
import type { LinearNode } from "./linearNodes";

export interface Value {
  data: Float32Array | Uint8Array;
  dims: readonly number[];
}

/** What came of a lookup, or of a dense layer in INT8, in a runtime. */
export interface LinearCheck {
  /** Integer sums that were told from their neighbours: all but those that a ReLU has cut off or rounding blurs. */
  sums: number;
  /** All outputs that are numbers, and those that are bytes. */
  outputs: number;
  bytes: number;
  /** Rows whose codes, in float32, are others because two centroids were nearly equally near, as was proved. */
  nearTies: number;
  /** What nothing explains; null where all is well. */
  fault: string | null;
}

/** Of a sum's terms: products and sums rounded to float32, in one order or another, fused or not. */
const rounding = 1e-6;

/** x · (1 + erf(x / √2)) / 2 in double, erf by its series: beyond 4 it is 1 to 2e-8. */
function gelu(x: number): number {
  const z = x / Math.SQRT2;
  if (Math.abs(z) > 4) return x > 0 ? x : 0;
  let term = z;
  let sum = z;
  for (let n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
    term *= (-z * z) / n;
    sum += term / (2 * n + 1);
  }
  return (x * (1 + (2 / Math.sqrt(Math.PI)) * sum)) / 2;
}

/** x float32 (N, channels, height, width) → rows (N·positions, channels · filter); the definition of a convolution. */
function windowsOf(
  { window, inputLength: length }: LinearNode,
  data: Float32Array,
  dims: readonly number[],
  [height, width]: readonly number[],
) {
  const { kernel, strides, dilations, pads } = window!;
  const rows = new Float32Array(dims[0] * height * width * length);
  for (let at = 0; at < rows.length; at++) {
    const b = at % kernel[1];
    const a = Math.floor(at / kernel[1]) % kernel[0];
    const channel = Math.floor(at / (kernel[0] * kernel[1])) % dims[1];
    const position = Math.floor(at / length);
    const column = (position % width) * strides[1] - pads[1] + b * dilations[1];
    const row = (Math.floor(position / width) % height) * strides[0] - pads[0] + a * dilations[0];
    const image = Math.floor(position / (height * width));
    if (row >= 0 && row < dims[2] && column >= 0 && column < dims[3])
      rows[at] = data[((image * dims[1] + channel) * dims[2] + row) * dims[3] + column];
  }
  return rows;
}

/** Images (N, M, height, width) as rows (N·positions, M); what is in rows stays. */
function rowsOf({ window }: LinearNode, { data, dims }: Value): Float32Array {
  if (!window) return Float32Array.from(data);
  const [, outputs, height, width] = dims;
  const positions = height * width;
  return Float32Array.from(data, (_, i) => {
    const [row, m] = [Math.floor(i / outputs), i % outputs];
    return data[(Math.floor(row / positions) * outputs + m) * positions + (row % positions)];
  });
}

/** How x becomes bytes, where it does. */
function inputOf({ sums }: LinearNode): InputQuantization | null {
  if (sums.kind === "dense") return sums.input;
  return sums.kind === "lookup" ? (sums.integers?.input ?? null) : null;
}

/** The reference's sums of rows: x float32 (N, D) → int32 (N, M). */
function sumsOf({ sums, outputs }: LinearNode, rows: Float32Array, count: number): Int32Array {
  if (sums.kind === "dense") return integerProductReference(rows, count, sums, outputs);
  const { shape, table } = sums;
  const encode = () => {
    if (sums.kind === "ofCodes") return Uint8Array.from(rows);
    const { integers, centroids } = sums;
    return integers
      ? encodeIntegersReference(rows, count, integers, shape)
      : encodeReference(rows, count, centroids!, shape);
  };
  return lookupReference(encode(), count, table, shape, outputs);
}

/**
 * Compares what a runtime gave for a lookup, or for a dense layer in INT8, with what the reference gives for the runtime's own input:
 * codes and integer sums. An output is scale · sum + bias and whatever is added or cut off, rounded: where scale is larger than that
 * rounding it tells the sum, exactly.
 */
export function checkLinear(
  lookup: LinearNode,
  x: Value,
  residual: Value | null,
  y: Value | null,
  bytes: Value | null = null,
): LinearCheck {
  const { sums: made, inputLength: length, outputs, scale, bias, hasRelu } = lookup;
  const zero = lookup.operator.includes("OfBytes") ? inputOf(lookup)!.zeroPoint : 0;
  const data = Float32Array.from(x.data, (value) => value - zero);
  const windows = lookup.window ? windowsOf(lookup, data, x.dims, (y ?? bytes)!.dims.slice(2)) : data;
  const count = windows.length / length;
  const got = rowsOf(lookup, (y ?? bytes)!);
  const added = residual && rowsOf(lookup, residual);
  const found: LinearCheck = {
    sums: 0,
    outputs: y ? got.length : 0,
    bytes: bytes?.data.length ?? 0,
    nearTies: 0,
    fault: null,
  };
  if (got.length !== count * outputs) return { ...found, fault: `${got.length} outputs for ${count} rows` };
  const sums = sumsOf(lookup, windows, count);
  const hasGelu = lookup.operator.includes("Gelu");
  const finish = (rows: Float32Array, first: number) =>
    rows.map((value, i) => {
      const total = value + (added ? added[first * outputs + i] : 0);
      return hasRelu ? Math.max(total, 0) : hasGelu ? gelu(total) : total;
    });
  const wanted = finish(scaleSumsReference(sums, scale, bias), 0);
  const allowed = (i: number) =>
    (hasGelu ? 4 : 1) * // its error function is an approximation everywhere
    rounding *
    (Math.abs(sums[i] * scale[i % outputs]) + Math.abs(bias[i % outputs]) + Math.abs(added ? added[i] : 0));
  if (bytes) {
    // A byte may be its neighbour only where rounding of the result leaves it open.
    const given = rowsOf(lookup, bytes);
    const [least, most] = [-1, 1].map((sign) =>
      quantizeInputReference(
        wanted.map((value, i) => value + sign * allowed(i)),
        lookup.bytes!.output,
      ),
    );
    const wrong = given.findIndex((byte, i) => byte < least[i] || byte > most[i]);
    if (wrong >= 0)
      return {
        ...found,
        fault: `byte ${wrong}: ${given[wrong]} instead of ${least[wrong]} to ${most[wrong]}`,
      };
  }
  for (let n = 0; y && n < count; n++) {
    const from = n * outputs;
    const row = got.subarray(from, from + outputs);
    let isEqual = true;
    for (let m = 0; m < outputs; m++) {
      const i = from + m;
      if (!(Math.abs(row[m] - wanted[i]) <= allowed(i))) isEqual = false;
      // Another sum would differ by at least one scale; behind a GELU nearly so where it is nearly straight.
      else if (
        Math.abs(scale[m]) > 8 * allowed(i) &&
        !(hasRelu && wanted[i] === 0) &&
        !(hasGelu && wanted[i] < 1)
      )
        found.sums++;
    }
    if (isEqual) continue;
    const fault = `row ${n}: ${[...row].slice(0, 5)} instead of ${[...wanted.subarray(from, from + 5)]}`;
    if (made.kind !== "lookup" || !made.centroids) return { ...found, fault };
    const { shape, centroids, table } = made;
    const own = { ...shape, outputs, centroids, lookupTable: table, tableScale: scale, bias };
    const most = (values: Float32Array) => values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    const ties = new NearTies(
      own,
      (finished, unfinished) => 4 * rounding * Math.max(most(finished), most(unfinished)),
      (rows) => finish(rows, n),
    );
    if (!ties.explain(windows.subarray(n * length, (n + 1) * length), row)) return { ...found, fault };
    found.nearTies++;
  }
  return found;
}
