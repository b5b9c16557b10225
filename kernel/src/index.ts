/**
 * LUT-NN in TypeScript: learn centroids, replace a network's layers by table lookups, watch the error accumulate,
 * train it away, and export the result as one ONNX file.
 */
export { LutnnError } from "./errors";
export * from "./report/errorAccumulation";
