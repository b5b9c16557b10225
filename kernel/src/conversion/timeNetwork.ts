import * as tf from "@tensorflow/tfjs-node";
import { yieldToEvents } from "../host/signal";
import { feedOf } from "../inference/exampleFeeds";
import { spreadOf } from "../inference/layerTimings";
import { InferenceSession } from "../inference/session";
import { exportOnnx } from "../layers/exportOnnx";
import type { Samples } from "./samples";

const warmUpRounds = 3;

/** Median time of a whole network for one example, as the file that `save` would write; one thread, milliseconds. */
export async function timeNetwork(
  model: tf.LayersModel,
  samples: Samples,
  { rounds = 200, signal }: { rounds?: number; signal: AbortSignal },
): Promise<number> {
  const session = await InferenceSession.create(exportOnnx(model));
  const tensors = samples.tensors();
  try {
    const ones = tensors.map((tensor) => tf.slice(tensor, 0, 1));
    tensors.push(...ones);
    const feeds = Object.fromEntries(
      await Promise.all(
        session.inputs.map(async (input, i) => [input.name, await feedOf(input, ones[i])] as const),
      ),
    );
    const times: number[] = [];
    for (let round = -warmUpRounds; round < rounds; round++) {
      const begin = performance.now();
      await session.run(feeds);
      if (round >= 0) times.push(performance.now() - begin);
      if (round % 16 === 0) await yieldToEvents(signal);
    }
    return spreadOf(times).median;
  } finally {
    tf.dispose(tensors);
    await session.release();
  }
}
