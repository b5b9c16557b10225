import type * as tf from "@tensorflow/tfjs-node";
import { NetworkGraph } from "../layers/graph";
import { checkNetwork } from "./checkNetwork";
import { LayerTable, layerInfo } from "./layerTable";
import { remarksOnTargets } from "./leftDense";
import { restOfNetwork } from "./restOfNetwork";
import { chooseTargets, type TargetOptions } from "./targets";

/**
 * Operations and bytes of a network for one input, layer by layer, dense and as lookups, by the paper's counting; nothing is
 * run. The numbers of a conversion's `layers` with centroids in float32, as the profile `paper` has them, for any network,
 * whatever it is for. Throws LutnnError as `convert` does on choices of layers.
 */
export function count(model: tf.LayersModel, options: TargetOptions = {}): LayerTable {
  checkNetwork("count", model);
  const graph = new NetworkGraph(model);
  const targets = chooseTargets(graph, options, 0);
  return new LayerTable(
    graph.name,
    targets.map((target) => layerInfo(target, "dense")),
    remarksOnTargets(graph, targets),
    restOfNetwork(graph, targets),
  );
}
