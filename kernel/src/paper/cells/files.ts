import type { Kind } from "./kind";

/**
 * Writes one of the paper's networks at its full shape as ONNX files: dense, with lookups (codes in float32 and in integers),
 * and dense in INT8 by ONNX Runtime's quantiser. Weights are random: only times, memory and sizes are taken of them.
 */
export const files: Kind<"files"> = {
  needs: () => [],
  title: ({ network }) => `files of ${network}`,
  effort: ({ network }) => (network.includes("cifar") ? 15 : 30),
  keeps: true,
  isLight: false,
  isAlone: false,
};
