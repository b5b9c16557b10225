import { accelerate } from "../pq/acceleration";
import { nativeBackend } from "./backend";
import { nativeTraining } from "./trainingBackend";

accelerate({
  encode: () => nativeBackend()?.encode ?? null,
  kMeans: () => nativeTraining()?.kMeans ?? null,
});
