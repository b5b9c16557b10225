import type { NetworkGraph } from "../layers/graph";
import { kindOf } from "../layers/kinds/index";
import { type Cost, denseCost } from "../report/counting";
import type { Target } from "./targets";

/** A layer that stays as it is and counts, with its costs for one input over all its calls. */
export interface RestLayer {
  name: string;
  /** Its class in tf.js. */
  className: string;
  /** Of a convolution or dense layer: N rows, D, M. */
  rows?: { positions: number; inputLength: number; outputs: number };
  cost: Cost;
}

/**
 * What a network computes beside the layers that are to be converted, in network order: convolutions and dense layers,
 * products of activations, layer norms. What the paper does not count (biases, batch norms, activations, poolings,
 * embeddings) is left out.
 */
export function restOfNetwork(graph: NetworkGraph, targets: readonly Target[]): RestLayer[] {
  const chosen = new Set(targets.map(({ name }) => name));
  const rest: RestLayer[] = [];
  for (const [name, layer] of graph.layers) {
    const kind = kindOf(layer);
    const calls = graph.callsOf(name);
    const className = layer.getClassName();
    if (chosen.has(name)) continue;
    if (kind?.linear) {
      const operators = calls.map((call) => kind.linear!(call));
      const [{ inputLength, outputs }] = operators;
      const positions = operators.reduce((sum, operator) => sum + operator.positions, 0);
      const rows = { positions, inputLength, outputs };
      rest.push({ name, className, rows, cost: denseCost(rows) });
    } else if (kind?.cost) {
      const costs = calls.map((call) => kind.cost!(call));
      const operations = costs.reduce((sum, cost) => sum + cost.operations, 0);
      rest.push({ name, className, cost: { operations, bytes: costs[0].bytes } });
    }
  }
  return rest;
}
