import { valuesOf } from "../../compute/valuesOf";
import { INITIAL_INVERSE_TEMPERATURE_LOGIT } from "../../layers/lookupLayer";
import { makeLookup } from "../../layers/makeLookup";
import { kMeans } from "../../pq/kmeans";
import type { Target } from "../targets";
import { calibrateAlone, rowsPerCentroid } from "./calibrateAlone";
import { inputOf, lookupArrays, storeLookup } from "./lookupArrays";
import type { Method } from "./method";

/** As published: for each layer k-means on the inputs that it sees in the dense network; the table is P·W. */
export const kmeans: Method = {
  title: "k-means",
  trainable: true,
  ...lookupArrays,

  calibrate(run) {
    const { seed, signal } = run;
    const learnt = new Map<string, Float32Array>();
    const centroidsOf = async (target: Target, rows: Float32Array) => {
      const known = learnt.get(target.codebook);
      if (known) return known;
      const { centroids } = await kMeans(rows, target, { seed, signal });
      learnt.set(target.codebook, centroids);
      return centroids;
    };
    return calibrateAlone(
      run,
      this.title,
      ({ numCentroids }) => rowsPerCentroid * numCentroids,
      async (target, rows) =>
        storeLookup({
          centroids: await centroidsOf(target, rows),
          weight: valuesOf(() => target.operator.weight()),
          bias: target.operator.bias(),
          ...inputOf(target, rows, run.profile),
          inverseTemperatureLogit: INITIAL_INVERSE_TEMPERATURE_LOGIT,
        }),
    );
  },

  layerFor({ layer, name, numCentroids, subvectorLength }, { distance, tableScale, tableBits, codes }) {
    return makeLookup(layer, name, {
      numCentroids,
      subvectorLength,
      tableSource: "weight",
      tableScale,
      tableBits,
      distance,
      codes,
    });
  },
};
