import { type LayerKind, settings } from "./kind";

/** x · scale + offset. */
export const rescaling: LayerKind = {
  classNames: ["Rescaling"],
  layout: "any",
  write: (graph, node, [x]) => {
    const { scale, offset } = settings(node) as Record<string, number>;
    const scaled = graph.add("Mul", [x.name, graph.scalar(scale)], `${node.key}/scaled`);
    return { ...x, name: graph.add("Add", [scaled, graph.scalar(offset)], node.key) };
  },
};
