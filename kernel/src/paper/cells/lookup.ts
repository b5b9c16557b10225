import { examplesOf, networkTitle, secondsAnExample } from "./dense";
import type { Kind } from "./kind";

/** Replaces a trained network's layers by lookups, of any profile, and trains them. */
export const lookup: Kind<"lookup"> = {
  needs: ({ dense }) => [dense],
  title: ({ dense, profile, seed }) =>
    `lookups, ${profile.name}, ${networkTitle(dense.network, dense.data)}, seed ${seed}`,
  effort: ({ dense, calibration, training }) => {
    const examples = examplesOf(dense.data) * (training?.epochs ?? 0) * 1.8 + calibration * 3;
    return 4 + examples * secondsAnExample(dense.network);
  },
  keeps: false,
  isLight: false,
  isAlone: false,
};
