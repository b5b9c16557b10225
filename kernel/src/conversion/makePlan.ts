import type * as tf from "@tensorflow/tfjs-node";
import type { Dataset } from "../datasets/dataset";
import { LutnnError } from "../errors";
import { cellSignal } from "../host/signal";
import { asFunctional } from "../layers/graph";
import { evaluate } from "../training/evaluate";
import { convert } from "./conversion";
import { type Budget, cheapEnough, costOf, Plan, type PlanPoint, tradeOff } from "./plan";
import { type Profile, profileOf } from "./profile";
import { measureSensitivity } from "./sensitivity";
import { chooseTargets } from "./target";

export interface PlanOptions {
  /** Images to learn lookups from. */
  data: Dataset;
  /** Held-out images on which errors and accuracy are measured; not the test data. */
  validation: Dataset;
  /**
   * What the layers may cost for one input, in bytes, operations (`flops`) or milliseconds (`latency`); or the points of
   * accuracy that may be lost without fine-tuning, at the least cost of `minimize` (default flops).
   */
  budget: Budget;
  profile?: "paper" | "plus" | Profile;
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
  const {
    data,
    validation,
    budget,
    numCentroids = [8, 16],
    subvectorMultiples = [1, 2, 4],
    seed = 0,
  } = options;
  const cost = costOf(budget);
  const [limit] = Object.values(budget) as number[];
  if (!(limit >= 0)) throw new LutnnError(`plan: the budget must be a number of at least 0 (got ${limit})`);
  const signal = cellSignal(options.signal);
  const model = asFunctional(network);
  const profile = profileOf(options.profile);
  const targets = chooseTargets(model, { layers: options.layers });
  const layers = await measureSensitivity({
    model,
    targets,
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
  const dense = (await evaluate(model, validation, { signal })).accuracy;
  const measure = async (point: PlanPoint): Promise<number> => {
    if (point.measuredDrop !== undefined) return point.measuredDrop;
    const candidate = new Plan(model.name, cost, layers, points, point);
    if (candidate.options.layers?.length === 0) point.measuredDrop = 0;
    else {
      const conversion = convert(model, { ...candidate.options, profile });
      await conversion.calibrate(data, { seed, signal });
      await conversion.replaceAll();
      point.measuredDrop = dense - (await conversion.evaluate(validation, { signal })).accuracy;
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
  return new Plan(model.name, cost, layers, points, chosen);
}
