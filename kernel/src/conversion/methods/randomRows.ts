import { valuesOf } from "../../compute/valuesOf";
import { INITIAL_INVERSE_TEMPERATURE_LOGIT } from "../../layers/lookupLayer";
import { sampleIndices, seededRandom } from "../../pq/random";
import type { SharedCodebook } from "../sharedCodebooks";
import type { Target } from "../targets";
import { calibrateAlone, rowsPerCentroid } from "./calibrateAlone";
import { kmeans } from "./kmeans";
import { inputOf, lookupArrays, storeLookup } from "./lookupArrays";
import type { Method } from "./method";

/**
 * The floor that every method should beat, and where soft-PQ begins without k-means: each codebook's centroids are K rows
 * of the inputs that the layer sees in the dense network, drawn at random; the table is P·W.
 */
export const randomRows: Method = {
  title: "random rows",
  trainable: true,
  ...lookupArrays,

  calibrate(run) {
    const { seed, profile, codebooks } = run;
    const codebookOf = (target: Target, rows: Float32Array): SharedCodebook => {
      const known = profile.sharedCodebooks && codebooks.get(target.codebook);
      if (known) return known;
      const drawn = { centroids: drawnCentroids(target, rows, seed), ...inputOf(target, rows, profile) };
      codebooks.set(target.codebook, drawn);
      return drawn;
    };
    return calibrateAlone(
      run,
      this.title,
      ({ numCentroids }) => rowsPerCentroid * numCentroids,
      async (target, rows) =>
        storeLookup({
          ...codebookOf(target, rows),
          weight: valuesOf(() => target.operator.weight()),
          bias: target.operator.bias(),
          inverseTemperatureLogit: INITIAL_INVERSE_TEMPERATURE_LOGIT,
        }),
    );
  },

  layerFor: kmeans.layerFor,
};

/** Rows float32 (N, D) → centroids (C, K, V): other rows for every codebook, again from the first where N is below K. */
function drawnCentroids(
  { name, numCodebooks, numCentroids, subvectorLength }: Target,
  rows: Float32Array,
  seed: number,
): Float32Array {
  const inputLength = numCodebooks * subvectorLength;
  const centroids = new Float32Array(numCodebooks * numCentroids * subvectorLength);
  for (let c = 0; c < numCodebooks; c++) {
    const random = seededRandom(seed, name, "centroids", c);
    const drawn = sampleIndices(rows.length / inputLength, numCentroids, random);
    for (let k = 0; k < numCentroids; k++) {
      const from = drawn[k % drawn.length] * inputLength + c * subvectorLength;
      centroids.set(rows.subarray(from, from + subvectorLength), (c * numCentroids + k) * subvectorLength);
    }
  }
  return centroids;
}
