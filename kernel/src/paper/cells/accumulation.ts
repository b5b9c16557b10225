import { networkTitle, secondsAnExample } from "./dense";
import type { Kind } from "./kind";

/** Accuracy and error after each layer, as one method's lookups replace a network from its input on. */
export const accumulation: Kind<"accumulation"> = {
  needs: ({ dense }) => [dense],
  title: ({ method, dense, seed }) =>
    `error by layers, ${method}, ${networkTitle(dense.network, dense.data)}, seed ${seed}`,
  effort: ({ dense, calibration, test }) =>
    6 + (calibration * 3 + test * 20) * secondsAnExample(dense.network),
  keeps: false,
  isLight: false,
  isAlone: false,
};
