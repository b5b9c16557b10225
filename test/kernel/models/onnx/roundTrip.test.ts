import * as fc from "fast-check";
import { fromOnnx, type tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { exportFaults } from "../../../../kernel/lib/layers/exportFaults";
import { exportOnnx } from "../../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../../kernel/lib/layers/graph";
import { must } from "../../networks/must";
import { floats, predict } from "../../networks/outputs";
import { buildNetwork, type NetworkPlan, networkPlan, randomInputs } from "../../networks/randomNetwork";

/** As many as fit into half a minute. */
const runs = Number(process.env.LUTNN_ROUND_TRIPS ?? 120);
/** Between a network and its file's, relative to the largest output: sums in another order. */
const tolerance = 1e-4;
/** Of the files written, those that must be read: the rest hold masks, memories and the like; see {@link known}. */
const readShare = 0.85;

type Outcome = "nothing" | "not written" | "not read" | "read";

/** What keeps a written file from being read, said in whole sentences. */
const known = [
  /dilations must be 1 where every channel/,
  /operators must be of those/, // recurrent ones
  /Equal .* whole numbers must/, // of masks
  /Reshape ".*\/single": the shape must have an axis for the batch/, // channels of all examples, resized one by one
];

async function roundTrip(plan: NetworkPlan): Promise<Outcome> {
  const model = buildNetwork(plan);
  if (!model) return "nothing";
  if (exportFaults(new NetworkGraph(model)).length > 0) return "not written";
  const inputs = randomInputs(model, 3, plan.seed);
  let wanted: tf.Tensor[];
  try {
    wanted = predict(model, inputs);
  } catch {
    return "not written"; // tf.js itself cannot run it
  }
  if (!wanted.every((y) => floats(y).every(Number.isFinite))) return "not written";
  let read: tf.LayersModel;
  try {
    read = await fromOnnx(exportOnnx(model));
  } catch (error) {
    must(
      known.some((one) => one.test(String(error))),
      `not read: ${error}`,
      model,
    );
    return "not read";
  }
  for (const [i, shape] of model.inputs.map((one) => one.shape).entries())
    must(shape.join() === read.inputs[i].shape.join(), `input ${i} is ${read.inputs[i].shape}`, model);
  const got = predict(read, inputs);
  wanted.forEach((y, i) => {
    must(y.shape.join() === got[i].shape.join(), `output ${i} is ${got[i].shape}`, model);
    const [a, b] = [floats(y), floats(got[i])];
    const largest = a.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-3);
    const worst = a.reduce((most, value, at) => Math.max(most, Math.abs(value - b[at])), 0);
    must(worst / largest < tolerance, `output ${i} differs by ${worst} of ${largest}`, model);
  });
  return "read";
}

describe("a network that is written and read again", () => {
  it(`has the same inputs and outputs, ${runs} random ones`, { timeout: 0 }, async () => {
    const outcomes: Record<Outcome, number> = { nothing: 0, "not written": 0, "not read": 0, read: 0 };
    await fc.assert(
      fc.asyncProperty(networkPlan, async (plan) => {
        outcomes[await roundTrip(plan)]++;
      }),
      { numRuns: runs, seed: 1, endOnFailure: true },
    );
    expect(outcomes.read / (outcomes.read + outcomes["not read"]), JSON.stringify(outcomes)).toBeGreaterThan(
      readShare,
    );
    expect(outcomes.read, JSON.stringify(outcomes)).toBeGreaterThan(runs / 3);
  });
});
