import type { NodeProto } from "../../onnx/onnx_pb";

/** What weights are called behind the name of their layer. */
const roles =
  /[._/](weights?|kernel|w(_\d+)?|gamma|scale|alpha|slope|embeddings?|bias|b(_\d+)?|offset|beta)$/i;
/** Names that an exporter counted up: they say nothing. */
const counted = /^(onnx::|const|_v_|%?\d|initializer|tensor_?\d|param_?\d)/i;

/** Letters, figures, `_`, `.` and `-` alone, as layers of tf.js may be called. */
const valid = (text: string): string => text.replace(/[^\w.-]+/g, "_").replace(/^[_.-]+|_+$/g, "");

/**
 * What the layer of a node is called: as its weight is, without the weight's role (`layer1.0.conv1`), where that name tells
 * it; else as the node is, or its output.
 */
export function wantedName(node: NodeProto, weight?: string): string {
  if (weight && roles.test(weight) && !counted.test(weight)) {
    const name = valid(weight.replace(roles, ""));
    if (name !== "") return name;
  }
  return valid(node.name || node.output[0] || "") || node.opType.toLowerCase();
}

/** Hands names out, each once: with a number behind it where it is taken. */
export class LayerNames {
  private readonly taken = new Set<string>();

  take(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.taken.has(name.toLowerCase()); i++) name = `${wanted}_${i}`;
    this.taken.add(name.toLowerCase());
    return name;
  }
}
