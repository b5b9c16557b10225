import { LutnnError } from "../../errors";
import { attentionOperator, attentionZero } from "../../onnx/attentionFunction";
import { LUTNN_DOMAIN } from "../../onnx/builder";
import type { GraphNode } from "../graph";
import { IntegerAttention } from "../integerAttention";
import { type LayerKind, plainOutput } from "./kind";

function integerAttentionOf({ key, layer }: GraphNode): IntegerAttention {
  if (layer instanceof IntegerAttention) return layer;
  throw new LutnnError(
    `${key}: a layer of class ${layer.getClassName()} must be this library's (got another of that name); rename the other class`,
  );
}

/** Attention in INT8: it stands in the place of a network's own while a file is written, nowhere else. */
export const integerAttention: LayerKind = {
  classNames: ["IntegerAttention"],
  maskArgument: 3,
  layout: "plain",
  write: (graph, node, [query, key, value, mask]) => {
    const { numHeads, scales, scale } = integerAttentionOf(node);
    const zeroPoint = graph.sharedConstant("attention/zeroPoint", () => ({
      data: Uint8Array.of(attentionZero),
      dims: [],
    }));
    const bytes = Object.entries({ query, key, value }).map(([name, from]) =>
      graph.add(
        "QuantizeLinear",
        [from.name, graph.scalar(scales[name as keyof typeof scales]), zeroPoint],
        `${node.key}/${name}/bytes`,
      ),
    );
    const inputs = [...bytes, ...(mask ? [mask.name] : []), graph.scalar(scale), graph.scalar(scales.value)];
    const operator = attentionOperator({ isMasked: mask !== undefined, ofBytes: true });
    return plainOutput(node, graph.add(operator, inputs, node.key, { numHeads }, LUTNN_DOMAIN));
  },
};
