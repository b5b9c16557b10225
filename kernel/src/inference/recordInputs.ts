import * as tf from "@tensorflow/tfjs-node";
import { type Batch, disposeBatch, type ExampleSource } from "../datasets/examples";
import { checkFeeds, feedsOf, networkInputs } from "../datasets/feeds";
import { InputsOnly } from "../datasets/inputsOnly";
import { type GraphNode, GraphRun, type NetworkGraph } from "../layers/graph";
import { LookupLayer } from "../layers/lookupLayer";

/** What one call of a replaced layer receives inside its network. */
export interface RecordedCall {
  /** The call; a layer that is used again has several. */
  node: GraphNode;
  layer: LookupLayer;
  /** float32, laid out as in tf.js */
  data: Float32Array;
  /** Batch axis first. */
  shape: number[];
}

/** Runs a batch through a network and keeps what each call of a replaced layer receives, in network order. */
export function recordBatch(graph: NetworkGraph, batch: Batch): RecordedCall[] {
  const recorded: RecordedCall[] = [];
  tf.tidy(() => {
    const run = new GraphRun(graph);
    const values = run.start(feedsOf(networkInputs(graph.model), batch));
    for (const node of graph.nodes) {
      const { layer } = node;
      if (layer instanceof LookupLayer) {
        const [x] = values.inputsOf(node);
        recorded.push({ node, layer, data: x.dataSync() as Float32Array, shape: x.shape });
      }
      run.step(node, values);
    }
  });
  return recorded;
}

/** Examples that run through a network at once while it is watched: all its values are in memory then. */
const examplesAtOnce = 8;

/**
 * What each call of a replaced layer receives from the first `examples` of a data set, batch by batch. Throws LutnnError
 * when the data cannot feed the network; `what` opens the sentence.
 */
export async function* recordInputs(
  what: string,
  graph: NetworkGraph,
  data: ExampleSource,
  options: { examples: number; signal?: AbortSignal },
): AsyncGenerator<RecordedCall[]> {
  checkFeeds(what, networkInputs(graph.model), data);
  const some = new InputsOnly(data).take(options.examples);
  for await (const batch of some.batches(examplesAtOnce, { signal: options.signal })) {
    try {
      yield recordBatch(graph, batch);
    } finally {
      disposeBatch(batch);
    }
  }
}
