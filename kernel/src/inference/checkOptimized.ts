import * as tf from "@tensorflow/tfjs-node";
import type { NetworkGraph } from "../layers/graph";
import { IntegerLinear } from "../layers/integerLinear";
import { LookupLayer } from "../layers/lookupLayer";
import { runFile } from "./fileValues";
import { absoluteOf, distance } from "./rounding";

/**
 * Of an output's largest value: fused operators round otherwise, through all layers. What ONNX Runtime's optimiser was
 * seen to make wrong (padding merged into a pooling) was off by tens of per cent.
 */
const OPTIMIZED = 1e-3;

/**
 * Runs a file as its users will, optimised: it must run, and where no layer can turn rounding into another centroid or
 * byte it must give what its nodes give one by one, but for what its activations are rounded by. Returns what is wrong as a sentence, or null.
 * @param outputs of the file's nodes as they stand
 */
export async function checkOptimized(
  bytes: Uint8Array,
  graph: NetworkGraph,
  inputs: readonly tf.Tensor[],
  outputs: readonly tf.Tensor[],
): Promise<string | null> {
  const optimized = await runFile(bytes, inputs, true);
  try {
    const rounds = (layer: tf.layers.Layer) => layer instanceof LookupLayer || layer instanceof IntegerLinear;
    if ([...graph.layers.values()].some(rounds)) return null;
    const absolute = Math.max(0, ...[...graph.layers.values()].map(absoluteOf));
    for (const [i, { name }] of graph.outputs.entries()) {
      const [a, b] = [outputs[i].dataSync(), optimized[i].dataSync()];
      let [largest, worst] = [0, 0];
      for (let at = 0; at < a.length; at++) {
        largest = Math.max(largest, Math.abs(a[at]));
        worst = Math.max(worst, distance(a[at], b[at]));
      }
      if (worst > OPTIMIZED * largest + absolute)
        return `ONNX Runtime's optimiser makes the file's output ${name} differ by ${worst.toPrecision(3)} where its largest is ${largest.toPrecision(3)}; report it, with the network`;
    }
    return null;
  } finally {
    tf.dispose(optimized);
  }
}
