import type * as tf from "@tensorflow/tfjs-node";
import { checkFeeds } from "../../datasets/feeds";
import { type Data, examplesOf } from "../../datasets/from";
import { InputsOnly } from "../../datasets/inputsOnly";
import { LutnnError } from "../../errors";
import { cellSignal } from "../../host/signal";
import { NetworkGraph } from "../../layers/graph";
import type { TaskName } from "../../tasks/derive";
import type { Task } from "../../tasks/task";
import { evaluateTask } from "../../training/evaluate";
import { taskOf } from "../../training/taskOf";
import { checkNetwork } from "../checkNetwork";
import { prepare } from "../convert";
import { withPaddingMask } from "../paddingMask";
import { type Profile, profileOf } from "../profile";
import { chooseTargets } from "../targets";
import { type Budget, cheapEnough, costOf, Plan, type PlanPoint, tradeOff } from "./plan";
import { measureSensitivity } from "./sensitivity";

export interface PlanOptions {
  /** Examples to learn lookups from, by their inputs alone. */
  data: Data;
  /** Held-out examples on which errors and accuracy are measured; not the test data. */
  validation: Data;
  /**
   * What the layers may cost for one input, in bytes, operations (`flops`) or milliseconds (`latency`); or the points of
   * accuracy that may be lost without fine-tuning, at the least cost of `minimize` (default flops).
   */
  budget: Budget;
  profile?: "paper" | "plus" | Profile;
  /** As for `convert`. */
  task?: TaskName | Task;
  /** Layers that may be replaced; default: those that `convert` would. */
  layers?: string[];
  /** K to be tried. Default 8, 16. */
  numCentroids?: number[];
  /** V to be tried, as multiples of the default. Default 1, 2, 4. */
  subvectorMultiples?: number[];
  seed?: number;
  signal?: AbortSignal;
}

/**
 * Chooses, for each layer, whether to replace it and with which K and V, under a budget: measures every option alone (its
 * local error, its effect on the output, operations, bytes, native time), takes the best trade-off under the assumption
 * that the effects add up, and converts the chosen point to measure what it really loses.
 */
export async function plan(network: tf.LayersModel, options: PlanOptions): Promise<Plan> {
  checkNetwork("plan", network);
  const { budget, numCentroids = [8, 16], subvectorMultiples = [1, 2, 4], seed = 0 } = options;
  const cost = costOf(budget);
  const [limit] = Object.values(budget) as number[];
  if (!(limit >= 0)) throw new LutnnError(`plan: the budget must be a number of at least 0 (got ${limit})`);
  const signal = cellSignal(options.signal);
  const graph = new NetworkGraph(network);
  const profile = profileOf(options.profile);
  const targets = chooseTargets(graph, { layers: options.layers });
  const data = withPaddingMask(graph, new InputsOnly(await examplesOf(options.data)));
  const validation = withPaddingMask(graph, await examplesOf(options.validation));
  for (const examples of [data, validation]) {
    checkFeeds("plan", graph.inputs, examples);
    await examples.checkValues("plan", signal);
  }
  const task = taskOf(network, options.task, "plan").checkTarget("plan", validation.target, validation.name);
  const layers = await measureSensitivity({
    graph,
    targets,
    task,
    profile,
    data,
    validation,
    numCentroids,
    subvectorMultiples,
    seed,
    latency: cost === "latency",
    signal,
  });
  const points = tradeOff(layers, cost);
  const dense = (await evaluateTask(network, task, validation, { signal })).metric.value;
  const measure = async (point: PlanPoint): Promise<number> => {
    if (point.measuredDrop !== undefined) return point.measuredDrop;
    const candidate = new Plan(network.name, cost, layers, points, point, task);
    if (candidate.options.layers?.length === 0) point.measuredDrop = 0;
    else {
      const conversion = prepare(network, { ...candidate.options, profile, task, exportable: false });
      await conversion.calibrate(data, { seed, signal });
      await conversion.replaceAll();
      const { value } = (await conversion.evaluate(validation, { signal })).metric;
      point.measuredDrop = task.metric.higherIsBetter ? dense - value : value - dense;
      await conversion.restoreAll();
    }
    return point.measuredDrop;
  };
  let chosen: PlanPoint;
  if ("accuracyDrop" in budget) {
    // The drop grows along the trade-off, but for noise: halve the range between a point that fits and one that does not.
    let [fits, fails] = [0, points.length];
    while (fails - fits > 1) {
      const middle = (fits + fails) >> 1;
      if ((await measure(points[middle])) <= limit) fits = middle;
      else fails = middle;
    }
    chosen = points[fits];
  } else chosen = cheapEnough(points, limit, cost);
  await measure(chosen);
  return new Plan(network.name, cost, layers, points, chosen, task);
}
