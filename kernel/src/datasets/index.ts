export type { TargetSpec } from "../tasks/target";
export { ArrayExamples, type ExampleArrays, type InputArray } from "./arrayExamples";
export { Dataset, type DatasetArrays } from "./dataset";
export type { Example } from "./example";
export {
  type Batch,
  type BatchOptions,
  type CheckOptions,
  disposeBatch,
  type ExampleSource,
  type InputSpec,
} from "./examples";
export { type Data, examplesOf, type FromOptions, from } from "./from";
export { type ChangeInputs, type MapOptions, MappedExamples } from "./mapped";
export * from "./readers";
export { type DataFile, type DataSource, findFolder } from "./source";
export { indexed, StreamedExamples, type StreamInfo, streamed } from "./streamed";
