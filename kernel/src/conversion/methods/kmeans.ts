import { valuesOf } from "../../compute/valuesOf";
import { INITIAL_INVERSE_TEMPERATURE_LOGIT } from "../../layers/lookupLayer";
import { makeLookup } from "../../layers/makeLookup";
import { kMeans } from "../../pq/kmeans";
import type { SharedCodebook } from "../sharedCodebooks";
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
    const { seed, signal, codebooks } = run;
    const codebookOf = async (target: Target, rows: Float32Array): Promise<SharedCodebook> => {
      const known = codebooks.get(target.codebook);
      if (known) return known;
      const { centroids } = await kMeans(rows, target, { seed, signal });
      const learnt = { centroids, ...inputOf(target, rows, run.profile) };
      codebooks.set(target.codebook, learnt);
      return learnt;
    };
    return calibrateAlone(
      run,
      this.title,
      ({ numCentroids }) => rowsPerCentroid * numCentroids,
      async (target, rows) =>
        storeLookup({
          ...(await codebookOf(target, rows)),
          weight: valuesOf(() => target.operator.weight()),
          bias: target.operator.bias(),
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
