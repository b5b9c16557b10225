import { randomUUID } from "node:crypto";
import * as tf from "@tensorflow/tfjs-node";
import type { Dataset } from "../datasets/dataset";
import { breathe } from "../host/signal";
import { applyNode, GraphRun } from "../layers/graph";
import { LookupLayer } from "../layers/lookupLayer";
import type { ErrorAccumulationReport } from "../report/errorAccumulation";
import { countRight } from "../training/evaluate";
import { givesProbabilities, logProbabilities } from "../training/loss";
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
  /** Called with the report after each batch and at the end. */
  onReport: (report: ErrorAccumulationReport) => void;
}

const batchSize = 128;

/**
 * Sends each batch through both networks in step. Local error: the replaced layer on the dense network's input.
 * Accumulated error: on the converted network's input. Metric of a layer: converted up to it, dense after it.
 */
export async function measureErrors(measurement: ErrorMeasurement): Promise<ErrorAccumulationReport> {
  const { model, student, targets, data, signal } = measurement;
  const dense = new GraphRun(model);
  const converted = new GraphRun(student);
  const probabilities = givesProbabilities(model);
  const positions = targets.map(({ name }) => converted.nodes.findIndex(({ layer }) => layer.name === name));
  const layers = targets.map((target, i) => {
    const node = positions[i];
    return {
      node,
      // "Converted up to a layer" includes the batch norms behind it: all before the next layer that can be replaced.
      until: positions[i + 1] ?? converted.nodes.length,
      replaced: converted.nodes[node].layer instanceof LookupLayer,
      local: new ErrorSums(target.operator.outputs),
      accumulated: new ErrorSums(target.operator.outputs),
      right: 0,
    };
  });
  const byNode = new Map(layers.map((layer) => [layer.node, layer]));
  const totals = { seen: 0, denseRight: 0, convertedRight: 0, divergence: 0 };

  const report: ErrorAccumulationReport = {
    version: 1,
    runId: randomUUID(),
    sequence: 0,
    done: false,
    model: model.name,
    data: { name: data.name, size: data.size },
    metric: { name: "accuracy", unit: "%", higherIsBetter: true, dense: 0 },
    layers: targets.map(({ name, operator, numCentroids, subvectorLength, numCodebooks }) => ({
      name,
      op: operator.op,
      numCentroids,
      subvectorLength,
      numCodebooks,
    })),
    series: [],
  };
  const snapshot = (done: boolean): ErrorAccumulationReport => {
    const percent = (right: number) => (100 * right) / totals.seen;
    report.sequence++;
    report.done = done;
    report.metric = { ...report.metric, dense: percent(totals.denseRight) };
    report.series = [
      {
        name: measurement.name,
        errors: layers.map((layer) => ({
          state: layer.replaced ? "replaced" : "dense",
          local: layer.replaced ? layer.local.error() : null,
          accumulated: layer.accumulated.error(),
          metric: layer.replaced ? percent(layer.right) : null,
        })),
        metric: percent(totals.convertedRight),
        divergence: totals.divergence / totals.seen,
      },
    ];
    return structuredClone(report);
  };

  for (const { images, labels } of data.batches(batchSize)) {
    tf.tidy(() => {
      const exact = dense.start(images);
      const values = converted.start(images);
      for (let i = 0; i < dense.nodes.length; i++) {
        const layer = byNode.get(i);
        const exactInputs = dense.inputsOf(dense.nodes[i], exact);
        const [y] = dense.step(dense.nodes[i], exact);
        const [accumulated] = converted.step(converted.nodes[i], values);
        if (layer) layer.accumulated.add(y, accumulated);
        if (layer?.replaced) layer.local.add(y, applyNode(converted.nodes[i], exactInputs)[0]);
        const ended = layers.find(({ until, replaced }) => until === i + 1 && replaced);
        if (ended) ended.right += countRight(converted.finishWith(dense, values, i + 1), labels);
      }
      const exactOutput = dense.outputOf(exact);
      const output = converted.outputOf(values);
      totals.denseRight += countRight(exactOutput, labels);
      totals.convertedRight += countRight(output, labels);
      const p = logProbabilities(exactOutput, probabilities);
      const divergence = tf.sum(tf.mul(tf.exp(p), tf.sub(p, logProbabilities(output, probabilities))));
      totals.divergence += divergence.dataSync()[0];
    });
    totals.seen += labels.size;
    tf.dispose([images, labels]);
    measurement.onReport(snapshot(totals.seen === data.size));
    await breathe(signal);
  }
  return structuredClone(report);
}
