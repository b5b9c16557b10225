import * as tf from "@tensorflow/tfjs-node";
import { disposeBatch } from "../../datasets/examples";
import { feedsOf } from "../../datasets/feeds";
import { yieldToEvents } from "../../host/signal";
import { GraphRun } from "../../layers/graph";
import { chooseRows, concatenate, countRealRows, RowSampler } from "../rows";
import type { Target, TargetCall } from "../targets";
import type { CalibrationRun } from "./method";

const batchSize = 64;

/**
 * Rows of what each call of the targets receives in the reference network, float32 (rows, D): `wanted` of them over all
 * calls of a layer, each as likely as any other, padding left out.
 */
export async function sampleCalls(
  { graph, reference, data, seed, signal }: CalibrationRun,
  targets: readonly Target[],
  wanted: (target: Target) => number,
  onProgress: (share: number) => void,
): Promise<Map<TargetCall, Float32Array>> {
  const run = new GraphRun(graph, reference);
  const calls = targets.flatMap((target) => target.calls);
  const counts = await countRealRows(calls, data, batchSize, signal);
  const samplers = new Map<TargetCall, RowSampler>();
  for (const target of targets) {
    const total = target.calls.reduce((sum, call) => sum + counts.get(call)!, 0);
    for (const [i, call] of target.calls.entries()) {
      const share = Math.round((wanted(target) * counts.get(call)!) / total);
      const label = i === 0 ? target.name : `${target.name}#${i + 1}`;
      samplers.set(call, new RowSampler(call, chooseRows(label, counts.get(call)!, share, seed)));
    }
  }
  const byNode = new Map(calls.map((call) => [call.node, samplers.get(call)!]));
  let seen = 0;
  for await (const batch of data.batches(batchSize, { signal })) {
    tf.tidy(() => {
      const values = run.start(feedsOf(graph.inputs, batch));
      for (const node of graph.nodes) {
        byNode.get(node)?.add(values.get(node.inputs[0]), batch.size, batch.mask);
        run.step(node, values);
      }
    });
    seen += batch.size;
    disposeBatch(batch);
    onProgress(seen / data.size);
    await yieldToEvents(signal);
  }
  return new Map([...samplers].map(([call, sampler]) => [call, sampler.values()]));
}

/** The same, over all calls of each target: float32 (rows, D) by name. */
export async function sampleInputs(
  run: CalibrationRun,
  wanted: (target: Target) => number,
  onProgress: (share: number) => void,
): Promise<Map<string, Float32Array>> {
  const found = await sampleCalls(run, run.targets, wanted, onProgress);
  return new Map(
    run.targets.map(({ name, calls }) => [name, concatenate(calls.map((call) => found.get(call)!))]),
  );
}
