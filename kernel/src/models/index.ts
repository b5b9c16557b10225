export { type SmallCnnOptions, smallCnn } from "./smallCnn";
