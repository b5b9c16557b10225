import type * as tf from "@tensorflow/tfjs-node";
import type { ExampleSource } from "../../datasets/examples";
import type { Progress } from "../../host/progress";
import { yieldToEvents } from "../../host/signal";
import type { GraphNode, NetworkGraph } from "../../layers/graph";
import { ValueCounts } from "../../pq/inputRange";
import { ActivationStream } from "../activations";
import { realPositions } from "./realPositions";

/** The numbers of a batch's value (B, …) that count: where a mask (B, T) goes with its positions, those of real ones. */
function numbersOf(x: tf.Tensor, mask?: tf.Tensor2D): Float32Array {
  const values = x.dataSync() as Float32Array | Int32Array;
  const all = values instanceof Float32Array ? values : Float32Array.from(values);
  const rows = realPositions(x, mask);
  if (!rows) return all;
  const length = x.shape[2]!;
  const out = new Float32Array(rows.length * length);
  rows.forEach((row, i) => {
    out.set(all.subarray(row * length, (row + 1) * length), i * length);
  });
  return out;
}

/** What some calls receive inside the network as so many first inputs each, padding left out: counts by the value's id. */
export async function inputRanges(
  graph: NetworkGraph,
  calls: ReadonlyMap<GraphNode, number>,
  data: ExampleSource,
  { signal, progress }: { signal: AbortSignal; progress: Progress },
): Promise<Map<string, ValueCounts>> {
  const found = new Map<string, ValueCounts>();
  /** By call the places of inputs whose values nobody before it receives. */
  const counted = new Map<GraphNode, number[]>();
  for (const node of graph.nodes)
    for (const [place, id] of node.inputs.slice(0, calls.get(node) ?? 0).entries()) {
      if (found.has(id)) continue;
      found.set(id, new ValueCounts());
      counted.set(node, [...(counted.get(node) ?? []), place]);
    }
  const stream = new ActivationStream(graph, [({ layer }) => layer], data, { signal });
  try {
    for (;;) {
      await stream.fill();
      if (stream.size === 0) return found;
      for (const node of graph.nodes) {
        for (const place of counted.get(node) ?? [])
          for (const { x, mask } of stream.received(node, 0, place)) {
            found.get(node.inputs[place])!.add(numbersOf(x, mask));
            await yieldToEvents(signal);
          }
        await stream.advance();
      }
      progress.advance(stream.size);
      stream.restart();
    }
  } finally {
    await stream.dispose();
  }
}
