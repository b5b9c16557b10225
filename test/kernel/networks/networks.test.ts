import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkNetwork, type Outcome } from "./properties";
import { networkPlan } from "./randomNetwork";

/** As many as fit into a minute; `npm run check:networks` sets more. */
const runs = Number(process.env.LUTNN_NETWORKS ?? 300);
const seed = Number(process.env.LUTNN_NETWORKS_SEED ?? 1);

/** Of the networks tried, those that a file must have been written for: else the generator tests refusals alone. */
const exportedShare = 0.6;

describe("random networks", () => {
  it(`keep every promise, ${runs} of them from seed ${seed}`, { timeout: 0 }, async () => {
    const outcomes = new Map<Outcome, number>();
    await fc.assert(
      fc.asyncProperty(networkPlan, async (plan) => {
        const outcome = await checkNetwork(plan);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }),
      { numRuns: runs, seed, endOnFailure: process.env.NOSHRINK !== undefined },
    );
    const share = (outcomes.get("exported") ?? 0) / runs;
    console.log(Object.fromEntries(outcomes));
    expect(share, JSON.stringify([...outcomes])).toBeGreaterThan(exportedShare);
  });
});
