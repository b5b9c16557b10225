export { type FitTableOptions, fitTable } from "./fitTable";
export {
  type CodeKind,
  chooseInputQuantization,
  IntegerQuantizer,
  quantizeCodebooks,
} from "./integerCodes";
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
  encodeIntegersReference,
  encodeReference,
  type InputQuantization,
  type IntegerCodebooks,
  lookupReference,
  negativeHalfNorms,
  type QuantizerShape,
  quantizeInputReference,
  scaleSumsReference,
} from "./reference";
