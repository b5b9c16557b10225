import type { Kind } from "./kind";

/**
 * Latency, peak memory and power of one of the paper's networks at its full shape, by lookup and in the engines that there
 * are beside it: a process for each, in turns, pinned. Figures are called VARIANT/FIGURE: `fp32/medianMs`.
 */
export const inference: Kind<"inference"> = {
  needs: ({ files }) => [files],
  title: ({ files, threads, batch }) => `times of ${files.network}, ${threads} threads, batch ${batch}`,
  effort: ({ files, rounds, runs }) =>
    rounds * (files.network.includes("cifar") ? 6 + runs * 0.08 : 12 + runs * 0.4),
  keeps: false,
  isLight: false,
  isAlone: true,
};
