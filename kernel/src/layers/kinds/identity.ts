import type { LayerKind } from "./kind";

/** Layers that act while training alone. */
export const identity: LayerKind = {
  classNames: ["Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout"],
  layout: "any",
  integers: true,
  write: (_graph, _node, [x]) => x,
};
