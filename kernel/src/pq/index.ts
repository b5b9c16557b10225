export { type FitTableOptions, fitTable } from "./fitTable";
export { type KMeansOptions, kMeans } from "./kmeans";
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
export { ProductQuantizer } from "./productQuantizer";
export {
  encodeReference,
  lookupReference,
  negativeHalfNorms,
  type QuantizerShape,
  scaleSumsReference,
} from "./reference";
