import { floats, type LayerKind, plainOutput } from "./kind";

/** Rows of a table by their index. */
export const embedding: LayerKind = {
  classNames: ["Embedding"],
  makesMask: (layer) => layer.getConfig().maskZero === true,
  layout: "plain",
  integers: true,
  write: (graph, node, [x]) => {
    const [weight] = node.layer.getWeights();
    const table = graph.sharedConstant(`${node.name}/embeddings`, () => ({
      data: floats(weight),
      dims: weight.shape,
    }));
    const indices = x.type === "int32" ? x.name : graph.cast(x.name, "int32");
    return plainOutput(node, graph.add("Gather", [table, indices], node.key, { axis: 0 }));
  },
};
