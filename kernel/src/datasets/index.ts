export { type Batch, Dataset, type DatasetArrays } from "./dataset";
export { digits } from "./digits";
