import * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import type { QuantizerShape } from "./reference";

export interface SolveOptions {
  /** Conjugate-gradient steps at most (default 200). */
  maxIterations?: number;
  /** Ends when every column's residual is below this share of its right-hand side (default 1e-3). */
  tolerance?: number;
  signal?: AbortSignal;
}

/**
 * Solves A X = B for a symmetric positive definite A (n, n) and B (n, m) by conjugate gradients, all columns at once,
 * preconditioned with A's diagonal. Starts from 0. The caller disposes of A, B and the result (n, m).
 */
export async function solvePositiveDefinite(
  a: tf.Tensor2D,
  b: tf.Tensor2D,
  options: SolveOptions = {},
): Promise<tf.Tensor2D> {
  const { maxIterations = 200, tolerance = 1e-3, signal } = options;
  const [n] = a.shape;
  const diagonal = tf.tidy(() => tf.sum(tf.mul(a, tf.eye(n)), 1, true)); // (n, 1)
  const goal = tf.tidy(() => tf.mul(tf.sum(tf.square(b), 0, true), tolerance ** 2)); // (1, m)
  let x = tf.zerosLike(b);
  let residual = b.clone();
  let z: tf.Tensor = tf.div(residual, diagonal);
  let direction = z.clone() as tf.Tensor2D;
  let rz: tf.Tensor = tf.tidy(() => tf.sum(tf.mul(residual, z), 0, true));
  const replaceAll = (next: tf.Tensor[]) => {
    tf.dispose([x, residual, z, direction, rz]);
    [x, residual, z, direction, rz] = next as [tf.Tensor2D, tf.Tensor2D, tf.Tensor, tf.Tensor2D, tf.Tensor];
  };
  try {
    for (let iteration = 0; iteration < maxIterations; iteration++) {
      signal?.throwIfAborted();
      const [done, ...next] = tf.tidy(() => {
        const product = tf.matMul(a, direction);
        const curvature = tf.sum(tf.mul(direction, product), 0, true);
        const step = tf.divNoNan(rz, curvature); // a finished column has curvature 0 and stays
        const x1 = tf.add(x, tf.mul(step, direction));
        const residual1 = tf.sub(residual, tf.mul(step, product));
        const z1 = tf.div(residual1, diagonal);
        const rz1 = tf.sum(tf.mul(residual1, z1), 0, true);
        const direction1 = tf.add(z1, tf.mul(tf.divNoNan(rz1, rz), direction));
        const finished = tf.all(tf.lessEqual(tf.sum(tf.square(residual1), 0, true), goal));
        return [finished, x1, residual1, z1, direction1, rz1];
      });
      replaceAll(next);
      const finished = (await done.data())[0] === 1;
      done.dispose();
      if (finished) break;
    }
    return x.clone();
  } finally {
    tf.dispose([x, residual, z, direction, rz, diagonal, goal]);
  }
}

/** Rows whose one-hot codes are in memory at once. */
const rowsAtOnce = 2048;

/**
 * Ridge fit of a lookup table: T = argmin ‖E T − Y‖² + λ·N/K·‖T − T₀‖², E the one-hot codes (N, C·K). The penalty is
 * λ times the mean count of a code, so λ means the same at any N.
 * codes uint8 (N, C), target float32 (N, M), start float32 (C, K, M) → float32 (C, K, M). λ 1e-3 unless given.
 */
export async function fitTable(
  codes: Uint8Array,
  target: Float32Array,
  start: Float32Array,
  shape: QuantizerShape,
  options: SolveOptions & { lambda?: number } = {},
): Promise<Float32Array> {
  const { lambda = 1e-3 } = options;
  const { numCodebooks, numCentroids } = shape;
  const columns = numCodebooks * numCentroids;
  const rows = codes.length / numCodebooks;
  const outputs = start.length / columns;
  if (target.length !== rows * outputs)
    throw new LutnnError(
      `fitTable: the target must hold N·M = ${rows * outputs} numbers (got ${target.length}) for ${rows} rows of codes`,
    );
  const counts = new Float32Array(columns * columns); // EᵀE: how often two codes occur together
  const at = new Uint32Array(numCodebooks);
  const table = tf.tensor2d(start, [columns, outputs]);
  let rightSide: tf.Tensor2D = tf.zeros([columns, outputs]); // Eᵀ(Y − E T₀)
  try {
    for (let first = 0; first < rows; first += rowsAtOnce) {
      options.signal?.throwIfAborted();
      await new Promise(setImmediate);
      const count = Math.min(rowsAtOnce, rows - first);
      const choice = new Float32Array(count * columns);
      for (let n = 0; n < count; n++)
        for (let c = 0; c < numCodebooks; c++) {
          at[c] = c * numCentroids + codes[(first + n) * numCodebooks + c];
          choice[n * columns + at[c]] = 1;
          for (let other = 0; other <= c; other++) counts[at[c] * columns + at[other]]++;
        }
      const sum = tf.tidy(() => {
        const chosen = tf.tensor2d(choice, [count, columns]);
        const wanted = tf.tensor2d(target.subarray(first * outputs, (first + count) * outputs), [
          count,
          outputs,
        ]);
        const residual = tf.sub(wanted, tf.matMul(chosen, table));
        return tf.add(rightSide, tf.matMul(chosen, residual as tf.Tensor2D, true, false)) as tf.Tensor2D;
      });
      rightSide.dispose();
      rightSide = sum;
    }
    const ridge = (lambda * rows) / numCentroids;
    for (let i = 0; i < columns; i++) {
      for (let j = 0; j < i; j++) counts[j * columns + i] = counts[i * columns + j];
      counts[i * columns + i] += ridge;
    }
    const a = tf.tensor2d(counts, [columns, columns]);
    const change = await solvePositiveDefinite(a, rightSide, options).finally(() => a.dispose());
    const values = await change.data();
    change.dispose();
    return Float32Array.from(start, (value, i) => value + values[i]);
  } finally {
    tf.dispose([table, rightSide]);
  }
}

/**
 * Ridge fit of a weight matrix on the decoded input (every sub-vector replaced by its centroid): W = argmin ‖X̂ W − Y‖² + λ·mean diag(X̂ᵀX̂)·‖W − W₀‖².
 * decoded float32 (N, D), target float32 (N, M), start float32 (D, M) → float32 (D, M). λ 1e-3 unless given.
 */
export async function fitWeight(
  decoded: Float32Array,
  target: Float32Array,
  start: Float32Array,
  inputLength: number,
  options: SolveOptions & { lambda?: number } = {},
): Promise<Float32Array> {
  const { lambda = 1e-3 } = options;
  const rows = decoded.length / inputLength;
  const outputs = start.length / inputLength;
  if (target.length !== rows * outputs)
    throw new LutnnError(
      `fitWeight: the target must hold N·M = ${rows * outputs} numbers (got ${target.length}) for ${rows} rows`,
    );
  const [a, b] = tf.tidy(() => {
    const x = tf.tensor2d(decoded, [rows, inputLength]);
    const w = tf.tensor2d(start, [inputLength, outputs]);
    const gram = tf.matMul(x, x, true, false);
    const meanDiagonal = tf.div(tf.sum(tf.square(x)), inputLength);
    const residual = tf.sub(tf.tensor2d(target, [rows, outputs]), tf.matMul(x, w)) as tf.Tensor2D;
    return [
      tf.add(gram, tf.mul(tf.eye(inputLength), tf.add(tf.mul(meanDiagonal, lambda), 1e-12))) as tf.Tensor2D,
      tf.matMul(x, residual, true, false) as tf.Tensor2D,
    ];
  });
  try {
    const change = await solvePositiveDefinite(a, b, options);
    const values = await change.data();
    change.dispose();
    return Float32Array.from(start, (value, i) => value + values[i]);
  } finally {
    tf.dispose([a, b]);
  }
}
