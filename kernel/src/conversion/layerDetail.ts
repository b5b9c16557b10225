import type { ExampleSource } from "../datasets/examples";
import { LutnnError } from "../errors";
import { Progress } from "../host/progress";
import type { LayerOf, NetworkGraph } from "../layers/graph";
import { IntegerQuantizer } from "../pq/integerCodes";
import { ProductQuantizer } from "../pq/productQuantizer";
import type { LayerDetail } from "../report/conversionMessages";
import { sampleInputs } from "./methods/sampleInputs";
import type { Profile } from "./profile";
import type { NamedArrays } from "./storedArray";
import type { Target } from "./targets";

export interface DetailRun {
  graph: NetworkGraph;
  /** Layers of the network that gives the layer its inputs. */
  layerOf: LayerOf;
  target: Target;
  /** Of the method that the layer is looked up by. */
  title: string;
  arrays: NamedArrays;
  /** Number of the state. */
  state: number;
  profile: Profile;
  data: ExampleSource;
  signal: AbortSignal;
}

/** Rows that are looked at, and numbers that they have at most. */
const mostRows = 4096;
const mostNumbers = 2 ** 22;
const bins = 48;
/** Centroids' values that are told, evenly taken of all in rising order. */
const mostValues = 512;

/** Looks at rows of what a layer receives, as its codebooks see them; memory is bounded, whatever the data are. */
export async function layerDetail(run: DetailRun): Promise<LayerDetail> {
  const { graph, layerOf, target, title, arrays, state, profile, data, signal } = run;
  const { name, operator, numCodebooks, numCentroids, subvectorLength } = target;
  if (!arrays.centroids)
    throw new LutnnError(
      `layerDetail: ${name} must be looked up by centroids (${title} has trees); calibrate with method "kmeans" or "leastSquares"`,
    );
  const wanted = Math.max(1, Math.min(mostRows, Math.floor(mostNumbers / operator.inputLength)));
  const progress = new Progress(`look into ${name}`, 100, "%");
  const rows = (
    await sampleInputs(
      { graph, reference: layerOf, targets: [target], data, seed: 0, signal },
      () => wanted,
      (share) => progress.update(100 * share),
    )
  ).get(name)!;
  const centroids = arrays.centroids.floats;
  const shape = { numCodebooks, numCentroids, subvectorLength };
  const [scale, zeroPoint] = arrays.input?.floats ?? [];
  const input = arrays.input && profile.codes === "int8" ? { scale, zeroPoint } : null;
  const quantizer = input
    ? new IntegerQuantizer(shape, centroids, input)
    : new ProductQuantizer(shape, centroids);
  const codes = quantizer.encode(rows);
  progress.finish();
  return {
    layer: name,
    state,
    codebooks: codebookFigures(rows, codes, centroids, target),
    inputs: histogram(rows),
    centroidValues: evenly(centroids, mostValues),
    rows: codes.length / numCodebooks,
  };
}

/**
 * Per codebook how often each centroid is used, and the error of what it puts in the place of sub-vectors:
 * Σ‖x − P‖² / Σ‖x − x̄‖².
 */
function codebookFigures(
  rows: Float32Array,
  codes: Uint8Array,
  centroids: Float32Array,
  { numCodebooks, numCentroids, subvectorLength }: Target,
): LayerDetail["codebooks"] {
  const inputLength = numCodebooks * subvectorLength;
  const count = rows.length / inputLength;
  return Array.from({ length: numCodebooks }, (_, c) => {
    const counts = new Array<number>(numCentroids).fill(0);
    const sums = new Float64Array(subvectorLength);
    let squares = 0;
    let error = 0;
    for (let n = 0; n < count; n++) {
      const code = codes[n * numCodebooks + c];
      counts[code]++;
      for (let v = 0; v < subvectorLength; v++) {
        const x = rows[n * inputLength + c * subvectorLength + v];
        const p = centroids[(c * numCentroids + code) * subvectorLength + v];
        sums[v] += x;
        squares += x * x;
        error += (x - p) ** 2;
      }
    }
    const variance = squares - sums.reduce((sum, value) => sum + value ** 2, 0) / count;
    return { counts, error: variance > 0 ? error / variance : error > 0 ? Number.MAX_VALUE : 0 };
  });
}

/** How often numbers lie between edges that are evenly apart. */
function histogram(values: Float32Array): LayerDetail["inputs"] {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const value of values) {
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const width = (most - least) / bins || 1;
  const counts = new Array<number>(bins).fill(0);
  for (const value of values) counts[Math.min(bins - 1, Math.floor((value - least) / width))]++;
  return { edges: Array.from({ length: bins + 1 }, (_, i) => least + i * width), counts };
}

/** Some of the numbers, evenly taken of all in rising order. */
function evenly(values: Float32Array, most: number): number[] {
  const sorted = Float32Array.from(values).sort();
  if (sorted.length <= most) return [...sorted];
  return Array.from({ length: most }, (_, i) => sorted[Math.round((i * (sorted.length - 1)) / (most - 1))]);
}
