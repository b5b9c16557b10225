import { ActivationStream } from "../activations";
import { chooseRows, concatenate, countRealRows, RowSampler } from "../rows";
import type { Target, TargetCall } from "../targets";
import type { CalibrationRun } from "./method";

/** Bytes of activations that are in memory while rows are taken out of them: the rows that are kept take more. */
const maximumBytes = 2 ** 27;
/** Examples that are looked at for their masks at once. */
const batchSize = 64;

/** From which network, data and layers rows are taken. */
export type SampleRun = Pick<CalibrationRun, "graph" | "reference" | "targets" | "data" | "seed" | "signal">;

/**
 * Rows of what each call of the targets receives in the reference network, float32 (rows, D): `wanted` of them over all
 * calls of a layer, each as likely as any other, padding left out. Every example is seen; what is held are the rows.
 */
export async function sampleCalls(
  { graph, reference, data, seed, signal }: Omit<SampleRun, "targets">,
  targets: readonly Target[],
  wanted: (target: Target) => number,
  onProgress: (share: number) => void,
): Promise<Map<TargetCall, Float32Array>> {
  const calls = targets.flatMap((target) => target.calls);
  const counts = await countRealRows(calls, data, batchSize, signal);
  const samplers = new Map<TargetCall, RowSampler>();
  for (const target of targets) {
    const total = target.calls.reduce((sum, call) => sum + counts.get(call)!, 0);
    for (const [i, call] of target.calls.entries()) {
      const share = Math.round((wanted(target) * counts.get(call)!) / total);
      const label = i === 0 ? target.codebook : `${target.name}#${i + 1}`;
      samplers.set(call, new RowSampler(call, chooseRows(label, counts.get(call)!, share, seed)));
    }
  }
  const byNode = new Map(calls.map((call) => [call.node, samplers.get(call)!]));
  const last = graph.nodes.reduce((most, node, i) => (byNode.has(node) ? i : most), -1);
  const stream = new ActivationStream(graph, [reference], data, { signal, maximumBytes });
  let seen = 0;
  try {
    for (;;) {
      await stream.fill();
      if (stream.size === 0) break;
      for (const node of graph.nodes.slice(0, last + 1)) {
        const sampler = byNode.get(node);
        if (sampler) for (const batch of stream.received(node)) sampler.add(batch);
        await stream.advance();
      }
      seen += stream.size;
      stream.restart();
      onProgress(seen / data.size);
    }
  } finally {
    await stream.dispose();
  }
  return new Map([...samplers].map(([call, { values }]) => [call, values]));
}

/** The same, over all calls of each target: float32 (rows, D) by name. */
export async function sampleInputs(
  run: SampleRun,
  wanted: (target: Target) => number,
  onProgress: (share: number) => void,
): Promise<Map<string, Float32Array>> {
  const found = await sampleCalls(run, run.targets, wanted, onProgress);
  return new Map(
    run.targets.map(({ name, calls }) => [name, concatenate(calls.map((call) => found.get(call)!))]),
  );
}
