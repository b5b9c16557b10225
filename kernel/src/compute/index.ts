import "./accelerate";

export * from "../pq/index";
export { nativeStatus } from "./backend";
export type { ConvWindow } from "./imageWindows";
export {
  realTable,
  roundedTable,
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
