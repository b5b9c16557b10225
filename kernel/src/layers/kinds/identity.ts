import { SeededDropout } from "../seededDropout";
import type { LayerKind } from "./kind";

/** Layers that act while training alone. */
export const identity: LayerKind = {
  classNames: [
    "Dropout",
    SeededDropout.className,
    "SpatialDropout1D",
    "GaussianNoise",
    "GaussianDropout",
    "AlphaDropout",
  ],
  end: "rearranges",
  layout: "any",
  integers: true,
  write: (_graph, _node, [x]) => x,
};
