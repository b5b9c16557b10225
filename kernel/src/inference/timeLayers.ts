import { cpus } from "node:os";
import * as tf from "@tensorflow/tfjs-node";
import type { ExampleSource } from "../datasets/examples";
import { LutnnError } from "../errors";
import { Progress } from "../host/progress";
import { cellSignal } from "../host/signal";
import { type GraphNode, NetworkGraph } from "../layers/graph";
import { INITIAL_INVERSE_TEMPERATURE_LOGIT } from "../layers/lookupLayer";
import { makeLookup } from "../layers/makeLookup";
import { seededRandom } from "../pq/random";
import { type LayerTiming, LayerTimings } from "./layerTimings";
import { requireNative } from "./nativeLayer";
import { recordInputs } from "./recordInputs";
import { checkRounds, type TimingOptions, timeLayer } from "./timeLayer";
import { checkReplaced } from "./verifyNative";

const machine = (): string =>
  `${cpus()[0]?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}`;

/** The dense network's call that a call of the converted network stands for. */
function denseCall(dense: NetworkGraph, { key }: GraphNode): GraphNode {
  const node = dense.nodes.find((one) => one.key === key);
  if (node) return node;
  throw new LutnnError(
    `timeLayers: the dense network must have every call of the converted one (${dense.name} has no ${key}); give the network that was converted`,
  );
}

/**
 * Times every call of the replaced layers of a converted network, native, against the dense layer that was replaced, in
 * ONNX Runtime (fp32): one example as recorded inside the network, one thread each, taking turns.
 */
export async function timeLayers(
  original: tf.LayersModel,
  converted: tf.LayersModel,
  data: ExampleSource,
  options: TimingOptions = {},
): Promise<LayerTimings> {
  const { isa } = requireNative();
  checkRounds("timeLayers", options.rounds);
  const signal = cellSignal(options.signal);
  const [dense, graph] = [original, converted].map((model) => new NetworkGraph(model));
  checkReplaced("timeLayers", graph);
  const rows: LayerTiming[] = [];
  for await (const recorded of recordInputs("timeLayers", graph, data, { examples: 1, signal })) {
    const progress = new Progress("time layers", recorded.length, "layers");
    for (const { node, layer, data } of recorded) {
      rows.push(
        await timeLayer(layer, denseCall(dense, node), { rounds: options.rounds, recorded: data }, signal),
      );
      progress.update(rows.length);
    }
    progress.finish();
  }
  return new LayerTimings(isa, machine(), rows);
}

/** A 3×3 convolution as large as the paper's networks have them: 28×28 positions, 128 → 128 channels, V = 9, K = 16. */
const paperShape = { size: 28, channels: 128, filter: 3, numCentroids: 16 };

/** The same comparison for one layer of the paper's size with random weights, centroids and input. */
export async function timePaperSizedLayer(
  options: TimingOptions & { seed?: number } = {},
): Promise<LayerTimings> {
  const { isa } = requireNative();
  checkRounds("timePaperSizedLayer", options.rounds);
  const signal = cellSignal(options.signal);
  const { size, channels, filter, numCentroids } = paperShape;
  const subvectorLength = filter * filter;
  const random = seededRandom(options.seed ?? 0, "paper-sized layer");
  const numbers = (count: number) => Float32Array.from({ length: count }, () => 2 * random() - 1);
  const name = "paperSized";
  const input = tf.input({ shape: [size, size, channels] });
  const conv = tf.layers.conv2d({ filters: channels, kernelSize: filter, padding: "same", name });
  const model = tf.model({ inputs: input, outputs: conv.apply(input) as tf.SymbolicTensor });
  const layer = makeLookup(conv, name, {
    numCentroids,
    subvectorLength,
    tableSource: "table",
    tableBits: 8,
    tableScale: "layer",
    distance: "l2",
  });
  layer.apply(input);
  layer.setLookup({
    centroids: numbers(channels * numCentroids * subvectorLength),
    table: numbers(channels * numCentroids * channels),
    bias: new Float32Array(channels),
    inverseTemperatureLogit: INITIAL_INVERSE_TEMPERATURE_LOGIT,
  });
  try {
    const [node] = new NetworkGraph(model).nodes;
    const row = await timeLayer(layer, node, options, signal);
    return new LayerTimings(isa, machine(), [{ ...row, layer: `${size}²×${channels}, ${filter}×${filter}` }]);
  } finally {
    model.dispose();
    layer.dispose();
  }
}
