export type { TargetSpec } from "../tasks/target";
export { Dataset, type DatasetArrays } from "./dataset";
export { digits } from "./digits";
export {
  type Batch,
  type BatchOptions,
  disposeBatch,
  type ExampleSource,
  type InputSpec,
} from "./examples";
export { type FashionMnistOptions, fashionMnist, fashionMnistSource } from "./fashionMnist";
export { load } from "./load";
export { type DataSource, findFolder } from "./locate";
