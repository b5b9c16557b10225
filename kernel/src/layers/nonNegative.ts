import type { NetworkGraph } from "./graph";
import { activationOf } from "./head";
import { kindOf } from "./kinds/index";

/** Activations that give no negative number. */
const nonNegativeActivations = new Set(["relu", "relu6", "sigmoid", "hardSigmoid", "softmax", "softplus"]);

/** Layers that give no negative number where they are given none, beside those that rearrange or average. */
const keeping = new Set([
  "MaxPooling1D",
  "MaxPooling2D",
  "GlobalMaxPooling1D",
  "GlobalMaxPooling2D",
  "Add",
  "Concatenate",
  "Maximum",
  "Minimum",
  "Multiply",
]);

/** Whether a value of the network can hold no negative number, whatever its weights, as far as its layers' kinds tell. */
export function isNonNegative(graph: NetworkGraph, id: string): boolean {
  const node = graph.makerOf(id);
  if (!node) return false;
  const kind = kindOf(node.layer);
  const activation = activationOf(node.layer);
  if (nonNegativeActivations.has(activation)) return kind !== undefined;
  const passes =
    kind?.end === "rearranges" ||
    kind?.end === "averages" ||
    keeping.has(node.layer.getClassName()) ||
    node.layer.getClassName() === "Activation";
  if (!passes || activation !== "linear") return false;
  return node.inputs.filter((_, i) => i !== kind?.maskArgument).every((input) => isNonNegative(graph, input));
}
