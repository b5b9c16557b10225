export { type Batch, Dataset, type DatasetArrays } from "./dataset";
export { digits } from "./digits";
export { type FashionMnistOptions, fashionMnist, fashionMnistSource } from "./fashionMnist";
export { load } from "./load";
export { type DataSource, findFolder } from "./locate";
