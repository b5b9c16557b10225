export { nativeStatus } from "./backend";
export { Codebook } from "./codebook";
export type { ConvWindow } from "./imageWindows";
export { type KMeansOptions, kMeans } from "./kmeans";
export { fitTable, fitWeight, type SolveOptions } from "./leastSquares";
export {
  dequantizeTable,
  type LookupTable,
  quantizeTable,
  type TableBits,
  type TableScaleMode,
} from "./lookupTable";
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
export {
  realTable,
  type SoftDistance,
  type SoftLookupOptions,
  type SoftParameter,
  type SoftPqOptions,
  softPqConv2d,
  softPqLookup,
  softPqMatMul,
  tableFromWeight,
} from "./softPq";
export { type TrainingBackend, type TrainingStatus, trainingStatus } from "./trainingBackend";
