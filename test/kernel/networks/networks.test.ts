import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { knownClasses } from "../../../kernel/lib/layers/kinds/index";
import { checkNetwork, hasKind, type Outcome } from "./properties";
import { networkPlan } from "./randomNetwork";

/** As many as fit into a minute; `npm run check:networks` asks for more, and for the smallest network that fails. */
const { LUTNN_NETWORKS = "300", LUTNN_NETWORKS_SEED = "1", LUTNN_NETWORKS_SHRINK } = process.env;
const [runs, seed] = [LUTNN_NETWORKS, LUTNN_NETWORKS_SEED].map(Number);

/** Of the networks tried, those that a file must have been written for: else the generator tests refusals alone. */
const exportedShare = 0.6;
/** Kinds of layers that chance has left out are looked for in so many more plans: every one must have been in a file. */
const furtherPlans = 3000;

describe("random networks", () => {
  it(`of every kind of layer keep every promise, ${runs} of them from seed ${seed}`, {
    timeout: 0,
  }, async () => {
    const outcomes: Record<Outcome, number> = { nothing: 0, "not run": 0, refused: 0, exported: 0 };
    const written = new Set<string>();
    await fc.assert(
      fc.asyncProperty(networkPlan, async (plan) => {
        outcomes[await checkNetwork(plan, written)]++;
      }),
      { numRuns: runs, seed, endOnFailure: LUTNN_NETWORKS_SHRINK === undefined },
    );
    expect(outcomes.exported / runs, JSON.stringify(outcomes)).toBeGreaterThan(exportedShare);
    const missing = () => new Set(knownClasses().filter((kind) => !written.has(kind)));
    for (const plan of fc.sample(networkPlan, { numRuns: furtherPlans, seed: seed + 1 })) {
      if (missing().size === 0) break;
      if (hasKind(plan, missing())) await checkNetwork(plan, written);
    }
    expect(missing()).toEqual(new Set());
  });
});
