import type { LookupLayer, pq, tf as Tf } from "lutnn";
import { assembleNetwork, freshLayer } from "../../../kernel/lib/layers/assemble";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { linearOperator } from "../../../kernel/lib/layers/linearOperator";
import { makeLookup } from "../../../kernel/lib/layers/makeLookup";
import { randomFloats } from "../random";

/**
 * A network in which the layers named are looked up, with random arrays and the other layers' weights.
 * @param input how inputs become bytes: codes are in int8 then
 */
export function withLookups(
  model: Tf.LayersModel,
  subvectorLengths: Record<string, number>,
  input?: pq.InputQuantization,
): Tf.LayersModel {
  const graph = new NetworkGraph(model);
  const twins: LookupLayer[] = [];
  const converted = assembleNetwork(graph, (name, layer) => {
    if (!subvectorLengths[name]) return freshLayer(layer, name);
    const twin = makeLookup(layer, name, {
      numCentroids: 6,
      subvectorLength: subvectorLengths[name],
      tableSource: "table",
      tableScale: "output",
      tableBits: 8,
      distance: "l2",
      codes: input ? "int8" : "float32",
    });
    twins.push(twin);
    return twin;
  });
  for (const layer of converted.layers)
    if (!twins.some((twin) => twin === layer) && layer.weights.length > 0)
      layer.setWeights(graph.layer(layer.name).getWeights());
  twins.forEach((twin, i) => {
    const { numCodebooks, numCentroids, subvectorLength } = twin.quantizerShape;
    const { outputs } = linearOperator(graph.callsOf(twin.name)[0]);
    twin.setLookup({
      centroids: randomFloats(numCodebooks * numCentroids * subvectorLength, 10 * i + 1),
      table: randomFloats(numCodebooks * numCentroids * outputs, 10 * i + 2),
      bias: randomFloats(outputs, 10 * i + 3),
      input,
      inverseTemperatureLogit: 1,
    });
  });
  return converted;
}
