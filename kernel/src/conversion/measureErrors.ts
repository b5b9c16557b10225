import { randomUUID } from "node:crypto";
import * as tf from "@tensorflow/tfjs-node";
import { describeTraining } from "../compute/trainingBackend";
import type { Dataset } from "../datasets/dataset";
import { Progress } from "../host/progress";
import { yieldToEvents } from "../host/signal";
import { applyNode, GraphRun } from "../layers/graph";
import { isReplaceable } from "../layers/rebuild";
import type { ErrorAccumulationReport, LayerErrors } from "../report/errorAccumulation";
import { countRight, evaluate } from "../training/evaluate";
import { givesProbabilities, logProbabilities } from "../training/loss";
import { ActivationStream } from "./activationStream";
import { ErrorSums } from "./errorSums";
import type { Target } from "./target";

export interface ErrorMeasurement {
  /** The dense network, the reference. */
  model: tf.LayersModel;
  /** The same network with some layers replaced. */
  student: tf.LayersModel;
  targets: Target[];
  data: Dataset;
  /** Of the series. */
  name: string;
  signal: AbortSignal;
  /** Called with the report after each layer and at the end. */
  onReport: (report: ErrorAccumulationReport) => void;
}

const batchSize = 64;
/** Bytes of activations that may be held at once. */
const memoryLimit = 2 ** 30;

/** How many images may be on their way through two networks at once: each holds about four activations at its widest. */
function imagesAtOnce(run: GraphRun): number {
  const widest = Math.max(
    ...run.nodes.map((node) => node.outputShape.slice(1).reduce<number>((a, b) => a * (b ?? 1), 4)),
  );
  return Math.max(batchSize, Math.floor(memoryLimit / (8 * widest)));
}

/** What is known of one layer so far. */
interface Measured {
  target: Target;
  /** Its node, and the node before which the network counts as converted up to it: that of the next layer. */
  node: number;
  until: number;
  replaced: boolean;
  local: ErrorSums;
  accumulated: ErrorSums;
  /** Images classified right with the network converted up to here, and images seen. */
  right: number;
  seen: number;
}

/**
 * Sends the data through both networks in step, layer by layer, and tells each layer's errors as soon as it is through.
 * Local error: the replaced layer on the dense network's input. Accumulated error: on the converted network's input.
 * Metric of a layer: converted up to it (with the batch norms behind it), dense after it.
 */
export async function measureErrors(measurement: ErrorMeasurement): Promise<ErrorAccumulationReport> {
  const { model, student, targets, data, signal } = measurement;
  const dense = new GraphRun(model);
  const converted = new GraphRun(student);
  const probabilities = givesProbabilities(model);
  const positions = targets.map(({ name }) => converted.nodes.findIndex(({ layer }) => layer.name === name));
  const layers: Measured[] = targets.map((target, i) => ({
    target,
    node: positions[i],
    until: positions[i + 1] ?? converted.nodes.length,
    replaced: !isReplaceable(converted.nodes[positions[i]].layer),
    local: new ErrorSums(target.operator.outputs),
    accumulated: new ErrorSums(target.operator.outputs),
    right: 0,
    seen: 0,
  }));
  const totals = { seen: 0, right: 0, divergence: 0 };
  const denseAccuracy = (await evaluate(model, data, { signal })).accuracy;
  const progress = new Progress("error accumulation", data.size * dense.nodes.length, "image layers");
  const backend = describeTraining();
  const runId = randomUUID();
  let sequence = 0;
  const snapshot = (done: boolean): ErrorAccumulationReport => ({
    version: 1,
    runId,
    sequence: ++sequence,
    done,
    model: model.name,
    data: { name: data.name, size: data.size },
    backend,
    metric: { name: "accuracy", unit: "%", higherIsBetter: true, dense: denseAccuracy },
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
        errors: layers.map(errorsOf),
        metric: done ? (100 * totals.right) / totals.seen : null,
        divergence: done ? totals.divergence / totals.seen : null,
      },
    ],
  });

  const atOnce = imagesAtOnce(dense);
  for (let first = 0; first < data.size; first += atOnce) {
    const part = data.select(
      Array.from({ length: Math.min(atOnce, data.size - first) }, (_, i) => first + i),
    );
    const batches = [...part.batches(batchSize)];
    const labels = batches.map((batch) => batch.labels);
    const exact = new ActivationStream(
      dense,
      batches.map(({ images }) => images.clone()),
    );
    const approximate = new ActivationStream(
      converted,
      batches.map(({ images }) => images),
    );
    const right = (outputs: tf.Tensor[]) =>
      outputs.reduce((sum, output, i) => sum + countRight(output, labels[i]), 0);
    try {
      for (let i = 0; i < dense.nodes.length; i++) {
        const layer = layers.find(({ node }) => node === i);
        const alone = layer?.replaced
          ? exact.inputs(dense.nodes[i]).map((x) => tf.tidy(() => applyNode(converted.nodes[i], [x])[0]))
          : [];
        exact.advance(dense.nodes[i]);
        approximate.advance(converted.nodes[i]);
        if (layer) {
          const y = exact.outputs(dense.nodes[i]);
          approximate.outputs(converted.nodes[i]).forEach((z, b) => {
            layer.accumulated.add(y[b], z);
          });
          alone.forEach((z, b) => {
            layer.local.add(y[b], z);
          });
          tf.dispose(alone);
        }
        const ended = layers.find(({ until }) => until === i + 1);
        if (ended?.replaced) {
          const outputs = approximate.finishWith(dense, i + 1);
          ended.right += right(outputs);
          ended.seen += part.size;
          tf.dispose(outputs);
        }
        progress.update(first * dense.nodes.length + part.size * (i + 1));
        if (layer || ended) measurement.onReport(snapshot(false));
        await yieldToEvents(signal);
      }
      const last = dense.nodes.length - 1;
      const outputs = approximate.outputs(converted.nodes[last]);
      totals.right += right(outputs);
      totals.seen += part.size;
      exact.outputs(dense.nodes[last]).forEach((y, b) => {
        totals.divergence += divergence(y, outputs[b], probabilities);
      });
    } finally {
      exact.dispose();
      approximate.dispose();
      tf.dispose(labels);
    }
  }
  progress.finish();
  const report = snapshot(true);
  measurement.onReport(report);
  return report;
}

const errorsOf = ({ replaced, local, accumulated, right, seen }: Measured): LayerErrors => ({
  state: replaced ? "replaced" : "dense",
  local: replaced ? local.error() : null,
  accumulated: accumulated.error(),
  metric: seen > 0 ? (100 * right) / seen : null,
});

/** Σ over the images of KL(dense ‖ converted), nats. */
function divergence(exact: tf.Tensor, approximate: tf.Tensor, probabilities: boolean): number {
  return tf.tidy(() => {
    const p = logProbabilities(exact, probabilities);
    const q = logProbabilities(approximate, probabilities);
    return tf.sum(tf.mul(tf.exp(p), tf.sub(p, q))).dataSync()[0];
  });
}
