/**
 * LUT-NN in TypeScript: learn centroids, replace a network's layers by table lookups, watch the error accumulate,
 * train it away, and export the result as one ONNX file.
 */
export { LutnnError } from "./errors";
export { clearOutput, type Display, display } from "./host/display";
export type { Displayable, MimeBundle } from "./host/host";
export { type InputOptions, input } from "./host/input";
export { Progress, type ProgressOptions, progress } from "./host/progress";
export * from "./report/errorAccumulation";
