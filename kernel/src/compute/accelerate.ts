import { availableParallelism } from "node:os";
import { accelerate } from "../pq/acceleration";
import { nativeBackend } from "./backend";
import { nativeTraining } from "./trainingBackend";
import "./reluGradient";

/** Threads of a fit: the machine's; results do not depend on their number. */
const options = { threads: Math.min(availableParallelism(), 256) };

accelerate({
  encode: () => nativeBackend()?.encode ?? null,
  encodeIntegers: () => {
    const native = nativeBackend();
    return (
      native &&
      ((x, rows, { input, centroids, halfNorms }, shape, codes) => {
        const integers = {
          inputScale: input.scale,
          inputZeroPoint: input.zeroPoint,
          centroids,
          halfNorms,
        };
        const { numCodebooks, numCentroids, subvectorLength } = shape;
        native.encodeIntegers(x, rows, integers, numCodebooks, numCentroids, subvectorLength, codes);
      })
    );
  },
  kMeans: () => nativeTraining()?.kMeans ?? null,
  quantizeTable: () => nativeBackend()?.quantizeTable ?? null,
  lookupAdd: () => {
    const native = nativeBackend();
    return native && ((...call) => native.lookupAdd(...call, options));
  },
  scatterAdd: () => {
    const native = nativeBackend();
    return native && ((...call) => native.scatterAdd(...call, options));
  },
});
