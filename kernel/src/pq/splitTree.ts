// The hash function of Maddness (Blalock and Guttag, 2021): a balanced binary tree of comparisons of single numbers.
// All nodes of a level look at the same dimension of the sub-vector; every node has a threshold of its own.

/** Levels of a tree. */
export const TREE_LEVELS = 4;
/** Leaves of a tree: the K of Maddness. */
export const TREE_LEAVES = 2 ** TREE_LEVELS;
/** Dimensions that are tried at each level: those of the largest squared error inside the nodes. */
const candidates = 4;

/** Sub-vectors of one codebook inside a training matrix. */
export interface Columns {
  /** float32 (N, stride) */
  x: Float32Array;
  stride: number;
  /** First column and number of columns (V). */
  from: number;
  length: number;
}

/** One level: the dimension it looks at, and the threshold of each of its 2^level nodes; right if x > threshold. */
export interface TreeLevel {
  dimension: number;
  thresholds: Float32Array;
}

/** Rows that fell into one node. */
type Bucket = Uint32Array;

const at = ({ x, stride, from }: Columns, row: number, dimension: number): number =>
  x[row * stride + from + dimension];

/** Σ (x − mean)² of one dimension over a bucket. */
function squaredError(columns: Columns, bucket: Bucket, dimension: number): number {
  let sum = 0;
  for (const row of bucket) sum += at(columns, row, dimension);
  const mean = bucket.length > 0 ? sum / bucket.length : 0;
  let error = 0;
  for (const row of bucket) error += (at(columns, row, dimension) - mean) ** 2;
  return error;
}

/** Rows that a tree can be learnt from: their number and a float32 fit into one float64 key. */
export const TREE_ROWS_LIMIT = 2 ** 21;

/** A bucket's rows by rising value of one dimension; equal values keep their order. */
function rowsInOrder(columns: Columns, bucket: Bucket, dimension: number): Uint32Array {
  const values = Float32Array.from(bucket, (row) => at(columns, row, dimension) + 0); // + 0 makes −0 a 0
  const bits = new Int32Array(values.buffer);
  const keys = new Float64Array(bucket.length);
  for (let i = 0; i < keys.length; i++) {
    // The bits of a float, as a number that rises with it: a negative one's are reversed.
    const rising = bits[i] < 0 ? 0x7fffffff - (bits[i] & 0x7fffffff) : bits[i] + 0x80000000;
    keys[i] = rising * TREE_ROWS_LIMIT + i;
  }
  keys.sort();
  return Uint32Array.from(keys, (key) => bucket[key % TREE_ROWS_LIMIT]);
}

/** Squared error, over all dimensions, of the first 1, 2, … n rows of an order. */
function cumulativeErrors(columns: Columns, order: Uint32Array): Float64Array {
  const sums = new Float64Array(columns.length);
  const errors = new Float64Array(order.length);
  let squares = 0;
  for (let i = 0; i < order.length; i++) {
    let squaredSums = 0;
    for (let d = 0; d < columns.length; d++) {
      const value = at(columns, order[i], d);
      sums[d] += value;
      squares += value * value;
      squaredSums += sums[d] * sums[d];
    }
    errors[i] = Math.max(0, squares - squaredSums / (i + 1));
  }
  return errors;
}

interface Split {
  threshold: number;
  /** Squared error of both sides together. */
  error: number;
}

/** The threshold that leaves the smallest squared error: head and tail sums over the rows in order, cut in the middle. */
function bestSplit(columns: Columns, bucket: Bucket, dimension: number): Split {
  if (bucket.length === 0) return { threshold: 0, error: 0 };
  const order = rowsInOrder(columns, bucket, dimension);
  const n = order.length;
  const head = cumulativeErrors(columns, order);
  const tail = cumulativeErrors(columns, order.slice().reverse());
  let best: Split = { threshold: at(columns, order[n - 1], dimension), error: head[n - 1] }; // all on the left
  for (let i = 0; i + 1 < n; i++) {
    const [left, right] = [at(columns, order[i], dimension), at(columns, order[i + 1], dimension)];
    const error = head[i] + tail[n - 2 - i];
    if (left < right && error < best.error) best = { threshold: (left + right) / 2, error };
  }
  return best;
}

function medianSplit(columns: Columns, bucket: Bucket, dimension: number): Split {
  if (bucket.length === 0) return { threshold: 0, error: 0 };
  const values = Float32Array.from(bucket, (row) => at(columns, row, dimension)).sort();
  const middle = values.length >> 1;
  return {
    threshold: values.length % 2 === 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2,
    error: 0,
  };
}

/**
 * Learns the tree of one codebook from `rows` of `allRows` rows, evenly spaced. `exact`: at each level, of the candidate dimensions and all thresholds, those of the
 * smallest squared error; otherwise, as the LUT-NN authors' quick baseline does, the one dimension of largest squared
 * error, each node split at its median.
 */
export function learnTree(matrix: Columns, allRows: number, rows: number, exact: boolean): TreeLevel[] {
  const columns = spaced(matrix, allRows, rows);
  const split = exact ? bestSplit : medianSplit;
  let buckets: Bucket[] = [Uint32Array.from({ length: rows }, (_, row) => row)];
  return Array.from({ length: TREE_LEVELS }, () => {
    const ranked = Array.from({ length: columns.length }, (_, dimension) => ({
      dimension,
      error: buckets.reduce((sum, bucket) => sum + squaredError(columns, bucket, dimension), 0),
    })).sort((a, b) => b.error - a.error || a.dimension - b.dimension);
    const tried = ranked.slice(0, exact ? candidates : 1).map(({ dimension }) => {
      const splits = buckets.map((bucket) => split(columns, bucket, dimension));
      return { dimension, splits, error: splits.reduce((sum, { error }) => sum + error, 0) };
    });
    const chosen = tried.reduce((best, other) => (other.error < best.error ? other : best));
    const thresholds = Float32Array.from(chosen.splits, ({ threshold }) => threshold);
    buckets = buckets.flatMap((bucket, node) => {
      const right = (row: number) => at(columns, row, chosen.dimension) > thresholds[node];
      return [bucket.filter((row) => !right(row)), bucket.filter(right)];
    });
    return { dimension: chosen.dimension, thresholds };
  });
}

/** Some rows of the columns alone, so that what is read together lies together. */
function spaced({ x, stride, from, length }: Columns, allRows: number, rows: number): Columns {
  const own = new Float32Array(rows * length);
  for (let row = 0; row < rows; row++) {
    const start = Math.floor((row * allRows) / rows) * stride + from;
    own.set(x.subarray(start, start + length), row * length);
  }
  return { x: own, stride: length, from: 0, length };
}
