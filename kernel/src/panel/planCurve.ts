import type { Conversion } from "../conversion/conversion";
import type { LayerInfo } from "../conversion/layerTable";
import type { LayerChoices } from "../conversion/options";
import type { Plan, PlanPoint } from "../conversion/plan/plan";
import type { PlanCurve } from "../report/conversionMessages";

type Rows = ReadonlyMap<string, LayerInfo>;

/** A plan's trade-off as a panel draws it, and where the conversion stands on it. */
export function planCurve(plan: Plan, conversion: Conversion): PlanCurve {
  const rows: Rows = new Map(conversion.layers.rows.map((row) => [row.name, row]));
  const { current } = conversion.states;
  const now = plan.points.findIndex((point) => isChosen(point, conversion.choicesIn(current)));
  const drops = measuredDrops(plan, conversion);
  return {
    cost: plan.cost,
    points: plan.points.map(({ cost, harm, measuredDrop, choices }, i) => ({
      cost,
      harm,
      measuredDrop: measuredDrop ?? drops[i],
      replaced: Object.values(choices).filter((choice) => choice !== null).length,
    })),
    divergenceUnit: plan.task.divergenceUnit,
    now: { cost: costNow(plan, rows, conversion), point: now < 0 ? null : now },
  };
}

/**
 * What is lost of the metric at each point: in the present state, else in the newest state that has just its layers, K and V, was
 * measured and not trained. Null where there is none, or the dense network was not measured.
 */
function measuredDrops({ points, task: { metric } }: Plan, conversion: Conversion): (number | null)[] {
  const { figures, states } = conversion;
  const dense = figures.denseMetric;
  if (dense === null) return points.map(() => null);
  const present = states.rows[states.current];
  // The present one first, then the newest.
  const measured = [...states.rows, present].reverse().flatMap(({ id, state }) => {
    const value = state.tuned ? null : figures.metric(id);
    if (value === null) return [];
    return [
      { choices: conversion.choicesIn(id), drop: metric.higherIsBetter ? dense - value : value - dense },
    ];
  });
  return points.map((point) => measured.find(({ choices }) => isChosen(point, choices))?.drop ?? null);
}

/** Whether a state has just the layers, K and V of a point. */
const isChosen = ({ choices }: PlanPoint, placed: LayerChoices): boolean =>
  Object.entries(placed).every(([name, sizes]) => {
    const choice = choices[name] ?? null;
    return choice?.numCentroids === sizes?.numCentroids && choice?.subvectorLength === sizes?.subvectorLength;
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
