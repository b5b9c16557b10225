import type { Kind } from "./kind";

/**
 * Milliseconds of single layers at the shapes of the paper's networks, by lookup and in ONNX Runtime, one thread. Figures are
 * called LAYER/FIGURE: `FC 128×768→768/ortFp32Ms`.
 */
export const operators: Kind<"operators"> = {
  needs: () => [],
  title: ({ rounds }) => `times of single layers, ${rounds} rounds`,
  effort: ({ rounds }) => 3 + rounds * 1.5,
  keeps: false,
  isLight: false,
  isAlone: true,
};
