import { networkTitle, secondsAnExample } from "./dense";
import type { Kind } from "./kind";

/** Replaces a trained network's layers by Maddness, the paper's baseline, which is fitted and not trained. */
export const maddness: Kind<"maddness"> = {
  needs: ({ dense }) => [dense],
  title: ({ form, dense, seed }) =>
    `Maddness, ${form} form, ${networkTitle(dense.network, dense.data)}, seed ${seed}`,
  effort: ({ dense, calibration }) => 6 + calibration * 5 * secondsAnExample(dense.network),
  keeps: false,
  isLight: false,
  isAlone: false,
};
