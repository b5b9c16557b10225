import type { Conversion } from "../conversion/conversion";
import type { LayerInfo } from "../conversion/layerTable";
import type { Plan, PlanPoint } from "../conversion/plan/plan";
import type { PlanCurve } from "../report/conversionMessages";

type Rows = ReadonlyMap<string, LayerInfo>;

/** A plan's trade-off as a panel draws it, and where the conversion stands on it. */
export function planCurve(plan: Plan, conversion: Conversion): PlanCurve {
  const rows: Rows = new Map(conversion.layers.rows.map((row) => [row.name, row]));
  const now = plan.points.findIndex((point) => isChosen(point, rows));
  const lost = dropNow(plan, conversion);
  return {
    cost: plan.cost,
    points: plan.points.map(({ cost, harm, measuredDrop, choices }, i) => ({
      cost,
      harm,
      measuredDrop: measuredDrop ?? (i === now ? lost : null),
      replaced: Object.values(choices).filter((choice) => choice !== null).length,
    })),
    divergenceUnit: plan.task.divergenceUnit,
    now: { cost: costNow(plan, rows, conversion), point: now < 0 ? null : now },
  };
}

/** What the present state loses of the metric; null until it and the dense network were measured, and where it was trained. */
function dropNow({ task: { metric } }: Plan, { figures, state, states }: Conversion): number | null {
  const [dense, now] = [figures.denseMetric, figures.metric(states.current)];
  if (dense === null || now === null || state.tuned) return null;
  return metric.higherIsBetter ? dense - now : now - dense;
}

/** Whether the conversion has just the layers, K and V of a point. */
const isChosen = ({ choices }: PlanPoint, rows: Rows): boolean =>
  [...rows.values()].every(({ name, state, numCentroids, subvectorLength }) => {
    const choice = choices[name];
    if (!choice) return state !== "replaced";
    return (
      state === "replaced" &&
      choice.numCentroids === numCentroids &&
      choice.subvectorLength === subvectorLength
    );
  });

/** In the plan's cost; null where it has not timed a layer in its present sizes. */
function costNow(plan: Plan, rows: Rows, { figures }: Conversion): number | null {
  let sum = 0;
  for (const { name, dense, options } of plan.layers) {
    const row = rows.get(name);
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
