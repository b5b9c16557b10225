// The soft-PQ training operators: load @tensorflow/tfjs-node first, whose TensorFlow library they become part of.

/**
 * Makes the operators `LutnnSoftLookup`, `LutnnSoftLookupGrad`, `LutnnTable` and `LutnnRoundedTable` known to TensorFlow (their inputs and
 * attributes: src/fronts/tensorflow/soft_operators.h); later calls change nothing. They run on threads of their own, at first as
 * many as the machine has cores, and with the instruction set that LUTNN_FORCE_ISA names, else the fastest.
 * Throws where LUTNN_FORCE_ISA is not available or another copy of this file has registered them.
 */
export function register(): { isa: string; threads: number };

/** Threads that the operators use from now on, 1 … 1024; results do not depend on it. Throws TypeError or RangeError. */
export function setThreads(count: number): void;

/**
 * k-means of some codebooks from `first` on, as many as `centroids` holds, on the operators' threads: k-means++ start,
 * at most `iterations` Lloyd iterations, empty clusters re-seeded. points float32 (rows, C·V), all finite; draws float64
 * (C, K), uniform in [0, 1), decide the start → centroids float32 (codebooks, K, V). Results do not depend on the
 * threads. Throws TypeError or RangeError on anything else, memory that is shared, detached or overlaps among it, before
 * anything is written.
 */
export function kMeans(
  points: Float32Array,
  rows: number,
  numCodebooks: number,
  numCentroids: number,
  subvectorLength: number,
  iterations: number,
  draws: Float64Array,
  first: number,
  centroids: Float32Array,
): void;
