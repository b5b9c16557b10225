import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { NetworkGraph } from "../layers/graph";
import { findHead } from "../layers/head";
import { type TaskName, taskNamed, taskOfHead } from "../tasks/derive";
import type { Task } from "../tasks/task";

/**
 * What a network is trained for: as its end tells (a softmax, a sigmoid, linear outputs), as the name given says, or the
 * task given itself. Where linear outputs leave it open the data decide: use what its `checkTarget` returns. Throws
 * LutnnError on an end that tells no task; `what` opens the sentence.
 */
export function taskOf(model: tf.LayersModel, given?: TaskName | Task, what = model.name): Task {
  if (typeof given === "object") return given;
  const graph = new NetworkGraph(model);
  if (graph.outputs.length !== 1)
    throw new LutnnError(
      `${what}: the network must have one output to tell its task (it has ${graph.outputs.map(({ name }) => name).join(", ")}); pass { task } with a loss and a metric over all of them`,
    );
  const head = findHead(graph);
  return given === undefined ? taskOfHead(what, head) : taskNamed(what, given, head);
}
