import { LutnnError } from "../errors";
import { accelerated } from "./acceleration";
import { checkFinite, checkQuantizerShape, ProductQuantizer } from "./productQuantizer";
import { sampleIndices, seededRandom } from "./random";
import type { QuantizerShape } from "./reference";
import { takingTurns } from "./turns";

export interface KMeansOptions {
  /** Lloyd iterations (default 25). */
  iterations?: number;
  /** Rows used for each codebook: at most this many times K, drawn at random (default 256, as faiss does). */
  pointsPerCentroid?: number;
  /** Default 0. */
  seed?: number;
  signal?: AbortSignal;
}

/** Multiply-adds that pass natively between two looks at the signal: less than a tenth of a second. */
const operationsPerTurn = 1e9;

/** Which of some rows {@link kMeans} learns from, rising: pointsPerCentroid times K at most, drawn at random. */
export const kMeansRows = (
  rows: number,
  numCentroids: number,
  { pointsPerCentroid = 256, seed = 0 }: Pick<KMeansOptions, "pointsPerCentroid" | "seed">,
): Uint32Array => sampleIndices(rows, numCentroids * pointsPerCentroid, seededRandom(seed, "k-means rows"));

/**
 * Centroids per codebook by k-means: k-means++ start, Lloyd iterations, empty clusters re-seeded by splitting the
 * cluster of largest error. x float32 (N, C·V) → codebook with centroids float32 (C, K, V).
 *
 * With fewer distinct sub-vectors than K the remaining centroids repeat one of them; ties go to the lower index, so a
 * repeated centroid is simply never chosen. All cores work on it where the native training operators run; the result is
 * the same to the last bit without them, and for any number of threads.
 * Throws LutnnError on empty or non-finite data, and the signal's reason when aborted. Yields to the event loop.
 */
export async function kMeans(
  x: Float32Array,
  shape: QuantizerShape,
  options: KMeansOptions = {},
): Promise<ProductQuantizer> {
  checkQuantizerShape("kMeans", shape);
  const { iterations = 25, seed = 0, signal } = options;
  const inputLength = shape.numCodebooks * shape.subvectorLength;
  if (x.length === 0 || x.length % inputLength !== 0)
    throw new LutnnError(
      `kMeans: data must be a non-empty matrix of C·V = ${inputLength} columns (got ${x.length} numbers)`,
    );
  checkFinite("kMeans", x);
  const rows = x.length / inputLength;
  const chosen = kMeansRows(rows, shape.numCentroids, options);
  const points = gatherRows(x, inputLength, chosen);
  const centroids = new Float32Array(inputLength * shape.numCentroids);
  const draws = startDraws(shape, seed);
  const fast = accelerated("kMeans");
  const codebook = new ProductQuantizer(shape, centroids);
  const pause = takingTurns(signal);
  if (fast) {
    const { numCodebooks, numCentroids, subvectorLength } = shape;
    const size = numCentroids * subvectorLength;
    const pace = Math.ceil(operationsPerTurn / (chosen.length * size * (iterations + 1)));
    for (let first = 0; first < numCodebooks; first += pace) {
      await pause();
      const part = centroids.subarray(first * size, (first + pace) * size);
      fast(
        points,
        chosen.length,
        numCodebooks,
        numCentroids,
        subvectorLength,
        iterations,
        draws,
        first,
        part,
      );
    }
    await pause();
    return codebook;
  }
  for (let c = 0; c < shape.numCodebooks; c++) plusPlusStart(points, shape, c, centroids, draws);
  for (let iteration = 0; iteration < iterations; iteration++) {
    await pause();
    if (!moveCentroids(points, codebook)) break;
  }
  return codebook;
}

/** What the start is drawn with: float64 (C, K) in [0, 1), each codebook's for itself. */
function startDraws({ numCodebooks, numCentroids }: QuantizerShape, seed: number): Float64Array {
  const draws = new Float64Array(numCodebooks * numCentroids);
  for (let c = 0; c < numCodebooks; c++) {
    const random = seededRandom(seed, "k-means++", c);
    for (let k = 0; k < numCentroids; k++) draws[c * numCentroids + k] = random();
  }
  return draws;
}

function gatherRows(x: Float32Array, length: number, rows: Uint32Array): Float32Array {
  if (rows.length * length === x.length) return x;
  const out = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    out.set(x.subarray(row * length, (row + 1) * length), i * length);
  });
  return out;
}

function squaredDistance(a: Float32Array, from: number, b: Float32Array, at: number, length: number): number {
  let sum = 0;
  for (let v = 0; v < length; v++) {
    const difference = a[from + v] - b[at + v];
    sum += difference * difference;
  }
  return sum;
}

/**
 * k-means++ (Arthur and Vassilvitskii, 2007): each next centroid is a point drawn with probability proportional to its
 * squared distance from the nearest centroid so far.
 */
function plusPlusStart(
  points: Float32Array,
  { numCodebooks, numCentroids, subvectorLength: length }: QuantizerShape,
  codebook: number,
  centroids: Float32Array,
  draws: Float64Array,
): void {
  const stride = numCodebooks * length;
  const rows = points.length / stride;
  const nearest = new Float64Array(rows).fill(Number.POSITIVE_INFINITY);
  let total = 0;
  let row = Math.floor(draws[codebook * numCentroids] * rows);
  for (let k = 0; k < numCentroids; k++) {
    if (k > 0 && total > 0) {
      let rest = draws[codebook * numCentroids + k] * total;
      for (row = 0; row < rows - 1; row++) {
        rest -= nearest[row];
        if (rest < 0) break;
      }
    }
    const from = row * stride + codebook * length;
    const at = (codebook * numCentroids + k) * length;
    centroids.set(points.subarray(from, from + length), at);
    total = 0;
    for (let n = 0; n < rows; n++) {
      const distance = squaredDistance(points, n * stride + codebook * length, centroids, at, length);
      if (distance < nearest[n]) nearest[n] = distance;
      total += nearest[n];
    }
  }
}

/** One Lloyd iteration on all codebooks; false when nothing moved. */
function moveCentroids(points: Float32Array, codebook: ProductQuantizer): boolean {
  const { numCodebooks, numCentroids, subvectorLength: length, centroids } = codebook;
  const codes = codebook.encode(points);
  const sums = new Float64Array(centroids.length);
  const counts = new Uint32Array(numCodebooks * numCentroids);
  for (let i = 0; i < codes.length; i++) {
    const cluster = (i % numCodebooks) * numCentroids + codes[i];
    counts[cluster]++;
    const from = i * length;
    const at = cluster * length;
    for (let v = 0; v < length; v++) sums[at + v] += points[from + v];
  }
  let moved = false;
  for (let i = 0; i < centroids.length; i++) {
    const count = counts[Math.floor(i / length)];
    const next = count > 0 ? Math.fround(sums[i] / count) : centroids[i];
    if (next !== centroids[i]) moved = true;
    centroids[i] = next;
  }
  for (let c = 0; c < numCodebooks; c++) {
    const own = counts.subarray(c * numCentroids, (c + 1) * numCentroids);
    if (own.includes(0) && reseedEmpty(points, codes, codebook, c, own)) moved = true;
  }
  return moved;
}

/**
 * Moves each empty cluster of a codebook to the farthest point of the cluster with the largest squared error, every
 * donor once. False when all points sit on centroids already.
 */
function reseedEmpty(
  points: Float32Array,
  codes: Uint8Array,
  { numCodebooks, numCentroids, subvectorLength: length, centroids }: ProductQuantizer,
  codebook: number,
  counts: Uint32Array,
): boolean {
  const errors = new Float64Array(numCentroids);
  const farthest = new Uint32Array(numCentroids);
  const farthestDistance = new Float64Array(numCentroids);
  for (let i = codebook; i < codes.length; i += numCodebooks) {
    const k = codes[i];
    const at = (codebook * numCentroids + k) * length;
    const distance = squaredDistance(points, i * length, centroids, at, length);
    errors[k] += distance;
    if (distance > farthestDistance[k]) {
      farthestDistance[k] = distance;
      farthest[k] = i;
    }
  }
  let moved = false;
  for (let k = 0; k < numCentroids; k++) {
    const largest = errors.reduce((a, b) => Math.max(a, b));
    if (counts[k] > 0 || largest === 0) continue;
    const donor = errors.indexOf(largest);
    const from = farthest[donor] * length;
    centroids.set(points.subarray(from, from + length), (codebook * numCentroids + k) * length);
    errors[donor] = 0;
    moved = true;
  }
  return moved;
}
