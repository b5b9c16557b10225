import * as tf from "@tensorflow/tfjs-node";
import type { ExampleSource } from "../../datasets/examples";
import { LutnnError } from "../../errors";
import type { Progress } from "../../host/progress";
import { yieldToEvents } from "../../host/signal";
import type { LayerOf, NetworkGraph } from "../../layers/graph";
import { findHead } from "../../layers/head";
import type { Task } from "../../tasks/task";
import { ActivationStream } from "../activations";
import { ErrorSums } from "../errorSums";
import { realPositions } from "./realPositions";

/** How far one network's answers are from another's on some examples. */
export interface RemainderEffect {
  /** Examples. */
  examples: number;
  /** Per cent of the answers that are the same; null for networks whose outputs are no choice. */
  agreement: number | null;
  /** Root of the mean squared difference of outputs, per cent of their standard deviation; of several outputs the largest. */
  movement: number;
}

type Answer = (output: tf.Tensor) => tf.Tensor;

/** What an output says: a class, or yes or no; null where it is a number, or nobody knows. */
function answerOf(graph: NetworkGraph, output: number, task: Task | null): Answer | null {
  const { nonlinearity, units } = findHead(graph, output);
  if (nonlinearity === "sigmoid") return (y) => tf.greater(y, 0.5);
  const isChoice =
    units !== null &&
    units > 1 &&
    (nonlinearity === "softmax" ||
      (nonlinearity === "none" && graph.outputs.length === 1 && isClassification(task, units)));
  return isChoice ? (y) => tf.argMax(y, -1) : null;
}

function isClassification(task: Task | null, classes: number): boolean {
  if (!task || task.isOpen) return false;
  try {
    task.checkTarget("remainder", { kind: "class", classes }, "examples");
    return true;
  } catch (error) {
    if (error instanceof LutnnError) return false;
    throw error;
  }
}

/** How many numbers of two tensors are the same, of all; in some rows (of the first two axes) where they are given. */
function agreeing(a: tf.Tensor, b: tf.Tensor, rows: Uint32Array | null): { same: number; all: number } {
  const equal = tf.equal(a, b).dataSync();
  const each = rows ? equal.length / (a.shape[0] * a.shape[1]!) : equal.length;
  const places = rows ?? [0];
  let same = 0;
  for (const row of places) for (let i = 0; i < each; i++) same += equal[row * each + i];
  return { same, all: places.length * each };
}

/** Computes a network as it is and with other layers in the place of some, on some examples. */
export async function remainderEffect(
  graph: NetworkGraph,
  layerOf: LayerOf,
  { data, task }: { data: ExampleSource; task: Task | null },
  { signal, progress }: { signal: AbortSignal; progress: Progress },
): Promise<RemainderEffect> {
  const answers = graph.outputs.map((_, i) => answerOf(graph, i, task));
  const errors = graph.outputs.map(({ shape }) => new ErrorSums(shape[shape.length - 1] ?? 1));
  const agreed = { same: 0, all: 0 };
  const stream = new ActivationStream(graph, [({ layer }) => layer, layerOf], data, { signal });
  let examples = 0;
  try {
    for (;;) {
      await stream.fill();
      if (stream.size === 0) break;
      for (const _ of graph.nodes) await stream.advance();
      const [exact, moved] = [stream.results(0), stream.results(1)];
      for (const [b, { mask }] of stream.batches.entries()) {
        tf.tidy(() => {
          exact[b].forEach((y, i) => {
            const rows = realPositions(y, mask);
            errors[i].add(y, moved[b][i], rows);
            const answer = answers[i];
            if (!answer) return;
            const { same, all } = agreeing(answer(y), answer(moved[b][i]), rows);
            agreed.same += same;
            agreed.all += all;
          });
        });
        await yieldToEvents(signal);
      }
      examples += stream.size;
      progress.advance(stream.size);
      stream.restart();
    }
  } finally {
    await stream.dispose();
  }
  const largest = Math.max(...errors.map((sums) => sums.error()?.relative ?? 0));
  return {
    examples,
    agreement: agreed.all > 0 ? (100 * agreed.same) / agreed.all : null,
    movement: 100 * Math.sqrt(largest),
  };
}
