import { LutnnError } from "../errors";
import { yieldToEvents } from "../host/signal";
import { exportIdentity, exportLayer } from "../layers/exportOnnx";
import type { GraphNode } from "../layers/graph";
import type { LookupLayer } from "../layers/lookupLayer";
import { seededRandom } from "../pq/random";
import { type LayerTiming, spreadOf } from "./layerTimings";
import { fileShape, toChannelsFirst } from "./layout";
import { nativeLayer } from "./nativeLayer";
import { InferenceSession } from "./session";

export interface TimingOptions {
  /** Rounds; in each, native, dense and an empty call take turns. Default 200. */
  rounds?: number;
  signal?: AbortSignal;
}

/** Native calls of one round, of which the mean counts: one call can be shorter than the clock resolves. */
const callsPerRound = 5;
const warmUpRounds = 10;

/** Throws LutnnError unless `rounds` can be counted; `what` opens the sentence. */
export function checkRounds(what: string, rounds: number | undefined): void {
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new LutnnError(
      `${what}: rounds must be a whole number from 1 (got ${rounds}); leave it out for 200`,
    );
}

/** The lengths of one example of a call's input. Throws LutnnError when one is open. */
export function fixedInput({ key, inputShapes: [shape] }: GraphNode): number[] {
  return shape.slice(1).map((length) => {
    if (length !== null) return length;
    throw new LutnnError(
      `${key}: the layer's input must have fixed lengths to be timed (got ${shape
        .slice(1)
        .map((one) => one ?? "any")
        .join("×")}); give the network a fixed input size`,
    );
  });
}

/**
 * Times a lookup layer against a call of the dense layer that it stands for.
 * @param node the dense layer's call
 * @param recorded one example of its input as laid out in tf.js; random numbers without
 */
export async function timeLayer(
  layer: LookupLayer,
  node: GraphNode,
  { rounds = 200, recorded }: { rounds?: number; recorded?: Float32Array },
  signal: AbortSignal,
): Promise<LayerTiming> {
  const shape = fixedInput(node);
  const x = recorded ?? randomInput(shape);
  const native = nativeLayer(layer, shape);
  const y = new Float32Array(native.positions * native.lookup.outputs);
  const run = native.bind(native.arrange(x), 1, y);
  const input = {
    data: shape.length === 3 ? toChannelsFirst(x, shape) : x,
    dims: fileShape([1, ...shape]),
  };
  const session = await InferenceSession.create(exportLayer(node));
  const empty = await InferenceSession.create(exportIdentity(shape));
  const times = { native: [] as number[], dense: [] as number[], call: [] as number[] };
  try {
    for (let round = -warmUpRounds; round < rounds; round++) {
      const t0 = performance.now();
      for (let i = 0; i < callsPerRound; i++) run();
      const t1 = performance.now();
      await session.run({ input });
      const t2 = performance.now();
      await empty.run({ input });
      const t3 = performance.now();
      if (round % 16 === 0) await yieldToEvents(signal);
      if (round < 0) continue;
      times.native.push((t1 - t0) / callsPerRound);
      times.dense.push(t2 - t1);
      times.call.push(t3 - t2);
    }
  } finally {
    await session.release();
    await empty.release();
  }
  const call = spreadOf(times.call);
  return {
    layer: node.key,
    numCentroids: layer.lookup.numCentroids,
    subvectorLength: layer.lookup.subvectorLength,
    codes: layer.hasIntegerCodes ? "int8" : "float32",
    input: recorded ? "recorded" : "random",
    native: spreadOf(times.native),
    dense: spreadOf(times.dense.map((time) => Math.max(0, time - call.median))),
    call,
  };
}

/** One example of random numbers in [−1, 1). */
function randomInput(shape: readonly number[]): Float32Array {
  const random = seededRandom(0, "timing");
  const size = shape.reduce((product, length) => product * length, 1);
  return Float32Array.from({ length: size }, () => 2 * random() - 1);
}
