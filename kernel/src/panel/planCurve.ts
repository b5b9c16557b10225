import type { Conversion } from "../conversion/conversion";
import type { Plan, PlanPoint } from "../conversion/plan/plan";
import type { PlanCurve } from "../report/conversionMessages";

/** A plan's trade-off as a panel draws it, and where the conversion stands on it. */
export function planCurve(plan: Plan, conversion: Conversion): PlanCurve {
  const point = plan.points.findIndex((one) => isChosen(one, conversion));
  return {
    cost: plan.cost,
    points: plan.points.map(({ cost, harm, measuredDrop, choices }) => ({
      cost,
      harm,
      measuredDrop: measuredDrop ?? null,
      replaced: Object.values(choices).filter((choice) => choice !== null).length,
    })),
    divergenceUnit: plan.task.divergenceUnit,
    now: { cost: costNow(plan, conversion), point: point < 0 ? null : point },
  };
}

/** Whether the conversion has just the layers, K and V of a point. */
const isChosen = ({ choices }: PlanPoint, { layers }: Conversion): boolean =>
  layers.rows.every(({ name, state, numCentroids, subvectorLength }) => {
    const choice = choices[name];
    if (!choice) return state !== "replaced";
    return (
      state === "replaced" &&
      choice.numCentroids === numCentroids &&
      choice.subvectorLength === subvectorLength
    );
  });

/** In the plan's cost; null where it has not timed a layer in its present sizes. */
function costNow(plan: Plan, { layers, figures }: Conversion): number | null {
  let sum = 0;
  for (const { name, dense, options } of plan.layers) {
    const row = layers.rows.find((one) => one.name === name);
    if (row?.state !== "replaced") {
      sum += dense.cost[plan.cost];
      continue;
    }
    const { numCentroids, subvectorLength, after } = row;
    const option = options.find(
      (one) => one.numCentroids === numCentroids && one.subvectorLength === subvectorLength,
    );
    const counted = { flops: after.operations, bytes: after.bytes };
    const cost =
      option?.cost[plan.cost] ??
      (plan.cost === "latency"
        ? figures.time(name, numCentroids, subvectorLength)?.lookup
        : counted[plan.cost]);
    if (cost === null || cost === undefined) return null;
    sum += cost;
  }
  return sum;
}
