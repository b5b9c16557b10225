import type { Kind } from "./kind";

/** Operations and bytes of one of the paper's networks at its full shape, by the paper's counting: exact, nothing is timed. */
export const count: Kind<"count"> = {
  needs: () => [],
  title: ({ network, centroids }) => `operations and bytes of ${network}, K ${centroids}`,
  effort: ({ network }) => (network.startsWith("bert") ? 4 : 2),
  keeps: false,
  isLight: true,
  isAlone: false,
};
