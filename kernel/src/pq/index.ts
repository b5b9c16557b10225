export { nativeStatus } from "./backend";
export { Codebook } from "./codebook";
export { type KMeansOptions, kMeans } from "./kmeans";
export { fitTable, fitWeight, type SolveOptions } from "./leastSquares";
export { dequantizeTable, type LookupTable, quantizeTable, type TableScaleMode } from "./lookupTable";
export {
  Maddness,
  type MaddnessForm,
  type MaddnessOptions,
  type MaddnessSum,
  type MaddnessTable,
} from "./maddness";
export {
  type CodebookShape,
  encodeReference,
  lookupReference,
  negativeHalfNorms,
  scaleSumsReference,
} from "./reference";
export { type SoftDistance, type SoftPqOptions, softPqLookup, softPqMatMul, tableFromWeight } from "./softPq";
