import { randomUUID } from "node:crypto";
import * as tf from "@tensorflow/tfjs-node";
import { describeTraining } from "../compute/trainingBackend";
import type { ExampleSource } from "../datasets/examples";
import { Progress } from "../host/progress";
import { yieldToEvents } from "../host/signal";
import type { LayerOf, NetworkGraph } from "../layers/graph";
import type { ErrorAccumulationReport, LayerErrors } from "../report/errorAccumulation";
import { addScores, noScore, type Score } from "../tasks/score";
import type { Task } from "../tasks/task";
import { ActivationStream, firstOf, shareToTheEnd } from "./activations";
import { ErrorSums } from "./errorSums";
import { realRows } from "./rows";
import type { Target } from "./targets";

export interface ErrorMeasurement {
  graph: NetworkGraph;
  /** Layers of the converted network; those of the dense one are the graph's own. */
  converted: LayerOf;
  targets: readonly Target[];
  /** Names of the targets that are replaced. */
  replaced: readonly string[];
  task: Task;
  data: ExampleSource;
  /** The task's metric of the dense network on these data. */
  denseMetric: number;
  /** Of the series. */
  name: string;
  signal: AbortSignal;
  /** Called with the report after each layer and at the end. */
  onReport: (report: ErrorAccumulationReport) => void;
}

/** Which network of the stream is which. */
const [dense, converted] = [0, 1];

/** What is known of one layer so far. */
interface Measured {
  target: Target;
  replaced: boolean;
  /** The call after which the network counts as converted up to this layer: the one before the next replaced layer's. */
  until: number;
  local: ErrorSums;
  accumulated: ErrorSums;
  score: Score;
}

/** Where each replaced layer's part of the network ends; the last one's is the end of the network. */
function ends({ graph, targets, replaced }: ErrorMeasurement): Map<string, number> {
  const first = (name: string) => graph.nodes.findIndex((node) => node.name === name);
  const names = targets.map(({ name }) => name).filter((name) => replaced.includes(name));
  const starts = names.map(first);
  return new Map(names.map((name, i) => [name, (starts[i + 1] ?? graph.nodes.length) - 1]));
}

/**
 * Sends the data through both networks in step, call by call, and tells each layer's errors as soon as it is through.
 * Local error: the replaced layer on the dense network's input. Accumulated error: on the converted network's input.
 * Metric of a layer: with every call before the next replaced layer computed as in the converted network, and the rest
 * as in the dense one; so the last replaced layer's is the converted network's. In networks of more than some eight
 * replaced layers the others' are measured on the same part of the examples, so that time grows with depth and no more.
 */
export async function measureErrors(measurement: ErrorMeasurement): Promise<ErrorAccumulationReport> {
  const { graph, targets, replaced, task, data, signal } = measurement;
  const untils = ends(measurement);
  const share = shareToTheEnd(graph, [...untils.values()]);
  let metricSize = 0;
  const layers: Measured[] = targets.map((target) => ({
    target,
    replaced: replaced.includes(target.name),
    until: untils.get(target.name) ?? -1,
    local: new ErrorSums(target.operator.outputs),
    accumulated: new ErrorSums(target.operator.outputs),
    score: noScore,
  }));
  const totals = { score: noScore, divergence: 0, examples: 0 };
  const progress = new Progress("error accumulation", data.size * graph.nodes.length, "example layers");
  const backend = describeTraining();
  const runId = randomUUID();
  let sequence = 0;
  const snapshot = (done: boolean): ErrorAccumulationReport => ({
    version: 1,
    runId,
    sequence: ++sequence,
    done,
    model: graph.name,
    data: { name: data.name, size: data.size, ...(share < 1 && done ? { metricSize } : {}) },
    backend,
    divergenceUnit: task.divergenceUnit,
    metric: { ...task.metric, dense: measurement.denseMetric },
    layers: targets.map(({ name, operator, numCentroids, subvectorLength, numCodebooks }) => ({
      name,
      op: operator.op,
      numCentroids,
      subvectorLength,
      numCodebooks,
    })),
    series: [
      {
        name: measurement.name,
        errors: layers.map((layer) => errorsOf(layer, task)),
        metric: done ? task.metricOf(totals.score) : null,
        divergence: done ? totals.divergence / totals.examples : null,
      },
    ],
  });

  const ownLayer: LayerOf = (node) => node.layer;
  const stream = new ActivationStream(graph, [ownLayer, measurement.converted], data, {
    signal,
  });
  try {
    for (;;) {
      await stream.fill();
      if (stream.size === 0) break;
      for (const [i, node] of graph.nodes.entries()) {
        const layer = layers.find(({ target }) => target.name === node.name);
        const call = layer?.target.calls.find((one) => one.node === node);
        const twin = measurement.converted(node);
        const alone: tf.Tensor[] = [];
        try {
          for (const x of layer?.replaced ? stream.inputs(node, dense) : []) {
            alone.push(tf.tidy(() => twin.apply(x, node.callArgs) as tf.Tensor));
            await yieldToEvents(signal);
          }
          await stream.advance();
        } catch (error) {
          tf.dispose(alone);
          throw error;
        }
        if (layer && call) {
          const exact = stream.outputs(node, dense);
          const rows = stream.batches.map(({ mask }) => realRows(call, mask));
          stream.outputs(node, converted).forEach((z, b) => {
            layer.accumulated.add(exact[b], z, rows[b]);
          });
          alone.forEach((z, b) => {
            layer.local.add(exact[b], z, rows[b]);
          });
          tf.dispose(alone);
        }
        const ended = layers.find(({ until }) => until === i);
        if (ended) {
          const isWhole = i === graph.nodes.length - 1;
          for (const [b, { size, targets: wanted, mask }] of stream.batches.entries()) {
            const count = isWhole ? size : Math.ceil(share * size);
            tf.tidy(() => {
              const outputs = stream.finish(ownLayer, converted, b, count);
              const score = task.score(outputs, firstOf(wanted, count), mask && firstOf(mask, count));
              ended.score = addScores(ended.score, score);
            });
            await yieldToEvents(signal);
          }
        }
        progress.update(totals.examples * graph.nodes.length + stream.size * (i + 1));
        if (layer || ended) measurement.onReport(snapshot(false));
        await yieldToEvents(signal);
      }
      const [exact, approximate] = [stream.results(dense), stream.results(converted)];
      for (const [b, { targets: wanted, mask }] of stream.batches.entries()) {
        totals.score = addScores(totals.score, task.score(approximate[b], wanted, mask));
        totals.divergence += task.divergence(exact[b], approximate[b], mask);
      }
      totals.examples += stream.size;
      metricSize += stream.batches.reduce((sum, { size }) => sum + Math.ceil(share * size), 0);
      stream.restart();
    }
  } finally {
    await stream.dispose();
  }
  progress.finish();
  const report = snapshot(true);
  measurement.onReport(report);
  return report;
}

const errorsOf = ({ replaced, local, accumulated, score }: Measured, task: Task): LayerErrors => ({
  state: replaced ? "replaced" : "dense",
  local: replaced ? local.error() : null,
  accumulated: accumulated.error(),
  metric: score.weight > 0 ? task.metricOf(score) : null,
});
