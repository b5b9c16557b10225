import { count as countLayers } from "../../../conversion/count";
import { LutnnError } from "../../../errors";
import { paperNetworks } from "../../../models/named";
import type { Work } from "../kind";

/** Operations and bytes of one of the paper's networks at its full shape, by the paper's counting: exact, nothing is timed. */
export const work: Work<"count"> = {
  whyNot: () => null,
  run: async ({ network, centroids }) => {
    const make = Object.hasOwn(paperNetworks, network) ? paperNetworks[network] : null;
    if (!make)
      throw new LutnnError(
        `cell: network must be one of ${Object.keys(paperNetworks).join(", ")} (got ${JSON.stringify(network)})`,
      );
    const model = make();
    try {
      const { dense, lookup } = countLayers(model, { numCentroids: centroids }).network;
      return {
        figures: {
          denseOperations: dense.operations,
          lookupOperations: lookup.operations,
          multiplyAdds: lookup.multiplyAdds,
          additions: lookup.additions,
          denseBytes: dense.bytes,
          lookupBytes: lookup.bytes,
        },
      };
    } finally {
      model.dispose();
    }
  },
};
