import { availableParallelism } from "node:os";
import { accelerate } from "../pq/acceleration";
import { nativeBackend } from "./backend";
import { nativeTraining } from "./trainingBackend";

/** Threads of a fit: the machine's; results do not depend on their number. */
const options = { threads: Math.min(availableParallelism(), 256) };

accelerate({
  encode: () => nativeBackend()?.encode ?? null,
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
