// The loop form of everything that runs at inference: it reads like the definition, is as slow as it looks, and is the
// oracle for every fast path (native microkernels, tf.js formulations, ONNX functions).
//
// Letters: N rows, C codebooks, K centroids a codebook, V sub-vector length, D = C·V, M outputs.

const bits = new DataView(new ArrayBuffer(8));

/**
 * acc + a·b rounded once to float32: a fused multiply-add of float32 numbers.
 * The product is exact in double (24 + 24 bits). The sum rounds to double and then to float32; the second rounding can
 * only go wrong when the double lies exactly between two floats while the exact sum does not, so that case is decided
 * by the sign of what the first rounding dropped.
 */
export function fusedMultiplyAdd(a: number, b: number, acc: number): number {
  const product = a * b;
  const sum = acc + product;
  const rounded = Math.fround(sum);
  if (rounded === sum) return rounded;
  const other = 2 * sum - rounded;
  if (Math.fround(other) !== other) return rounded;
  const virtual = sum - acc;
  const dropped = acc - (sum - virtual) + (product - virtual);
  if (dropped === 0) return rounded;
  return dropped > 0 ? Math.max(rounded, other) : Math.min(rounded, other);
}

/**
 * The order of scores: float32 bits as a sign-magnitude integer with the low 4 bits cleared, so that an index may
 * travel in them.
 */
export function scoreKey(score: number): number {
  bits.setFloat32(0, score);
  const raw = bits.getInt32(0);
  return (raw ^ ((raw >> 31) >>> 1)) & ~15;
}

/** −½‖P_k‖² in double, rounded to float32: centroids float32 (C, K, V) → float32 (C, K). */
export function negativeHalfNorms(centroids: Float32Array, subvectorLength: number): Float32Array {
  const norms = new Float32Array(centroids.length / subvectorLength);
  for (let k = 0; k < norms.length; k++) {
    let sum = 0;
    for (let v = 0; v < subvectorLength; v++) sum += centroids[k * subvectorLength + v] ** 2;
    norms[k] = Math.fround(-0.5 * sum) + 0; // never −0, which would lose to a later +0
  }
  return norms;
}

/** Sizes of a codebook. */
export interface QuantizerShape {
  /** C */
  numCodebooks: number;
  /** K */
  numCentroids: number;
  /** V */
  subvectorLength: number;
}

/**
 * Index of the nearest centroid of each sub-vector: x float32 (N, C·V), centroids float32 (C, K, V) → uint8 (N, C).
 * argmin_k ‖a − P_k‖² = argmax_k (−½‖P_k‖² + a·P_k); DESIGN: "one definition of a code".
 */
export function encodeReference(
  x: Float32Array,
  rows: number,
  centroids: Float32Array,
  shape: QuantizerShape,
): Uint8Array {
  const { numCodebooks, numCentroids, subvectorLength } = shape;
  const norms = negativeHalfNorms(centroids, subvectorLength);
  const codes = new Uint8Array(rows * numCodebooks);
  for (let n = 0; n < rows; n++)
    for (let c = 0; c < numCodebooks; c++) {
      const from = (n * numCodebooks + c) * subvectorLength;
      let best = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < numCentroids; k++) {
        const at = (c * numCentroids + k) * subvectorLength;
        let score = norms[c * numCentroids + k];
        for (let v = 0; v < subvectorLength; v++)
          score = fusedMultiplyAdd(x[from + v], centroids[at + v], score);
        const key = scoreKey(score);
        if (key > best) {
          best = key;
          codes[n * numCodebooks + c] = k;
        }
      }
    }
  return codes;
}

/** How a layer's inputs become bytes, where its codes are defined in integers; part of the model. */
export interface InputQuantization {
  /** A float32 above 0: what one step of a byte stands for. */
  scale: number;
  /** The byte of a zero, 0 … 255. */
  zeroPoint: number;
}

/** The arrays of a quantiser in integers. */
export interface IntegerCodebooks {
  input: InputQuantization;
  /** int8 (C, K, V), within ±127 */
  centroids: Int8Array;
  /** int32 (C, K), 0 … 2²³ */
  halfNorms: Int32Array;
}

/**
 * q = clamp(round(x / scale) + zeroPoint, 0, 255), ONNX's QuantizeLinear: the quotient is a float32, halves go to the even
 * number, and what is no number becomes 0.
 */
export function quantizeInputReference(x: Float32Array, { scale, zeroPoint }: InputQuantization): Uint8Array {
  return Uint8Array.from(x, (value) => {
    const steps = Math.min(Math.max(Math.fround(value / scale), -zeroPoint), 255 - zeroPoint);
    const floor = Math.floor(steps);
    const up = steps - floor > 0.5 || (steps - floor === 0.5 && floor % 2 !== 0);
    return Number.isNaN(steps) ? 0 : floor + (up ? 1 : 0) + zeroPoint;
  });
}

/**
 * Codes in integers: x float32 (N, C·V) → uint8 (N, C), the k of the largest score_k = Σ_v (q_v − zeroPoint)·p_kv −
 * halfNorm_k, an exact int32; of equal ones the lowest. DESIGN: "integer codes".
 */
export function encodeIntegersReference(
  x: Float32Array,
  rows: number,
  { input, centroids, halfNorms }: IntegerCodebooks,
  { numCodebooks, numCentroids, subvectorLength }: QuantizerShape,
): Uint8Array {
  const q = quantizeInputReference(x, input);
  const codes = new Uint8Array(rows * numCodebooks);
  for (let n = 0; n < rows; n++)
    for (let c = 0; c < numCodebooks; c++) {
      const from = (n * numCodebooks + c) * subvectorLength;
      let best = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < numCentroids; k++) {
        const at = (c * numCentroids + k) * subvectorLength;
        let score = -halfNorms[c * numCentroids + k];
        for (let v = 0; v < subvectorLength; v++)
          score += (q[from + v] - input.zeroPoint) * centroids[at + v];
        if (score > best) {
          best = score;
          codes[n * numCodebooks + c] = k;
        }
      }
    }
  return codes;
}

/** Σ_c table[c][code_c]: codes uint8 (N, C), table int8 (C, K, M) → int32 (N, M). */
export function lookupReference(
  codes: Uint8Array,
  rows: number,
  lookupTable: Int8Array,
  shape: QuantizerShape,
  outputs: number,
): Int32Array {
  const sums = new Int32Array(rows * outputs);
  for (let n = 0; n < rows; n++)
    for (let c = 0; c < shape.numCodebooks; c++) {
      const row = (c * shape.numCentroids + codes[n * shape.numCodebooks + c]) * outputs;
      for (let m = 0; m < outputs; m++) sums[n * outputs + m] += lookupTable[row + m];
    }
  return sums;
}

/** How a dense layer computes in integers. */
export interface IntegerProduct {
  input: InputQuantization;
  /** int8 (D, M), within ±127 */
  weights: Int8Array;
}

/** Σ_d (q_d − zeroPoint)·w_dm with q the bytes of x: x float32 (N, D), weights int8 (D, M) → int32 (N, M), exact. */
export function integerProductReference(
  x: Float32Array,
  rows: number,
  { input, weights }: IntegerProduct,
  outputs: number,
): Int32Array {
  const q = quantizeInputReference(x, input);
  const inputLength = weights.length / outputs;
  const sums = new Int32Array(rows * outputs);
  for (let n = 0; n < rows; n++)
    for (let d = 0; d < inputLength; d++) {
      const difference = q[n * inputLength + d] - input.zeroPoint;
      for (let m = 0; m < outputs; m++) sums[n * outputs + m] += difference * weights[d * outputs + m];
    }
  return sums;
}

/** sum × scale + bias, each operation rounded to float32: sums int32 (N, M), scale and bias float32 (M) → float32 (N, M). */
export function scaleSumsReference(
  sums: Int32Array,
  tableScale: Float32Array,
  bias: Float32Array,
): Float32Array {
  const outputs = tableScale.length;
  return Float32Array.from(sums, (sum, index) => {
    const m = index % outputs;
    return Math.fround(Math.fround(sum) * tableScale[m]) + bias[m];
  });
}

/** Arrays of a soft lookup in double precision; shapes as the arguments of `softPqLookup`. */
export interface SoftLookupArguments {
  /** (N, C·V) */
  x: Float64Array;
  /** (C, K, V) */
  centroids: Float64Array;
  /** (C, K, M) */
  table: Float64Array;
  /** θ */
  inverseTemperatureLogit: number;
}

/**
 * The function whose gradient soft-PQ uses: y = Σ_c Σ_k a_ck T_ck, a = softmax_k(−d_ck·m), d the distance (or its
 * square) of sub-vector and centroid, m = softplus(θ) + 1. Returns (N, M) in double precision.
 */
export function softLookupReference(
  { x, centroids, table, inverseTemperatureLogit }: SoftLookupArguments,
  shape: QuantizerShape,
  outputs: number,
  distance: "l2" | "squaredL2",
): Float64Array {
  const { numCodebooks, numCentroids, subvectorLength } = shape;
  const rows = x.length / (numCodebooks * subvectorLength);
  const inverseTemperature = Math.log1p(Math.exp(inverseTemperatureLogit)) + 1;
  const y = new Float64Array(rows * outputs);
  for (let n = 0; n < rows; n++)
    for (let c = 0; c < numCodebooks; c++) {
      const logits = Array.from({ length: numCentroids }, (_, k) => {
        let squared = 0;
        for (let v = 0; v < subvectorLength; v++)
          squared +=
            (x[(n * numCodebooks + c) * subvectorLength + v] -
              centroids[(c * numCentroids + k) * subvectorLength + v]) **
            2;
        return -inverseTemperature * (distance === "l2" ? Math.sqrt(squared) : squared);
      });
      const largest = Math.max(...logits);
      const weights = logits.map((logit) => Math.exp(logit - largest));
      const total = weights.reduce((a, b) => a + b);
      for (let k = 0; k < numCentroids; k++)
        for (let m = 0; m < outputs; m++)
          y[n * outputs + m] += (weights[k] / total) * table[(c * numCentroids + k) * outputs + m];
    }
  return y;
}
