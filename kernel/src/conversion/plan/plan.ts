import type { Chart } from "../../charts/chart";
import { Figure } from "../../charts/figure";
import { Table } from "../../charts/table";
import { LutnnError } from "../../errors";
import { type Displayable, displaySymbol, type MimeBundle } from "../../host/host";
import type { Task } from "../../tasks/task";
import type { ConvertOptions } from "../convert";
import type { LayerChoices } from "../options";
import { type CostName, costUnit, type LayerOption, type MeasuredLayer } from "./sensitivity";

/** What a plan may cost, or lose. */
export type Budget =
  | { accuracyDrop: number; minimize?: CostName }
  | { bytes: number }
  | { flops: number }
  | { latency: number };

/** One point of the trade-off: what every layer gets, and what it costs and is expected to harm. */
export interface PlanPoint {
  /** By layer name; null leaves the layer dense. */
  choices: Record<string, LayerOption | null>;
  /** Over all layers that can be replaced; operations, bytes or milliseconds. */
  cost: number;
  /** Sum of the layers' own divergences from the dense output, in the task's unit. */
  harm: number;
  /** What is lost of the metric on the validation data (points of an accuracy), where this point was converted for real. */
  measuredDrop?: number;
}

/** The lower convex hull of (cost, harm), from dense to cheapest: no other option is better at any exchange rate. */
function hull(layer: MeasuredLayer, cost: CostName): LayerOption[] {
  const byCost = [...layer.options].sort((a, b) => b.cost[cost] - a.cost[cost] || a.harm - b.harm);
  const kept: LayerOption[] = [];
  const slope = (a: LayerOption, b: LayerOption) => (b.harm - a.harm) / (a.cost[cost] - b.cost[cost]);
  for (const option of [layer.dense, ...byCost]) {
    if (kept.length > 0 && option.cost[cost] >= kept[kept.length - 1].cost[cost]) continue;
    while (
      kept.length > 1 &&
      slope(kept[kept.length - 2], kept[kept.length - 1]) >= slope(kept[kept.length - 1], option)
    )
      kept.pop();
    kept.push(option);
  }
  return kept;
}

/** All points of the trade-off, from dense to cheapest: at each step the replacement that harms least per saved cost. */
export function tradeOff(layers: MeasuredLayer[], cost: CostName): PlanPoint[] {
  const state = layers.map((layer) => ({ layer, steps: hull(layer, cost), at: 0 }));
  const point = (): PlanPoint => ({
    choices: Object.fromEntries(
      state.map(({ layer, steps, at }) => [layer.name, steps[at] === layer.dense ? null : steps[at]]),
    ),
    cost: state.reduce((sum, { steps, at }) => sum + steps[at].cost[cost], 0),
    harm: state.reduce((sum, { steps, at }) => sum + steps[at].harm, 0),
  });
  const points = [point()];
  for (;;) {
    const next = state
      .filter(({ steps, at }) => at + 1 < steps.length)
      .map((one) => {
        const [from, to] = [one.steps[one.at], one.steps[one.at + 1]];
        return { one, rate: (to.harm - from.harm) / (from.cost[cost] - to.cost[cost]) };
      })
      .sort((a, b) => a.rate - b.rate)[0];
    if (!next) return points;
    next.one.at++;
    points.push(point());
  }
}

/** K and V of each layer, null for those that stay dense. */
export function choicesOf(plan: Plan | LayerChoices): LayerChoices {
  if (!(plan instanceof Plan)) return plan;
  return choicesOfPoint(plan.chosen);
}

export const choicesOfPoint = ({ choices }: PlanPoint): LayerChoices =>
  Object.fromEntries(
    Object.entries(choices).map(([name, choice]) => [
      name,
      choice && { numCentroids: choice.numCentroids, subvectorLength: choice.subvectorLength },
    ]),
  );

/** Which cost a budget is about. */
export function costOf(budget: Budget): CostName {
  if ("accuracyDrop" in budget) return budget.minimize ?? "flops";
  const [name] = Object.keys(budget);
  if (name !== "bytes" && name !== "flops" && name !== "latency")
    throw new LutnnError(
      `plan: budget must be one of { accuracyDrop }, { bytes }, { flops } or { latency } (got ${JSON.stringify(budget)})`,
    );
  return name;
}

/** The first point of a trade-off whose cost is within a budget. Throws when even the cheapest is not. */
export function cheapEnough(points: PlanPoint[], limit: number, cost: CostName): PlanPoint {
  const found = points.find((point) => point.cost <= limit);
  if (found) return found;
  const least = points[points.length - 1].cost;
  throw new LutnnError(
    `plan: the budget must be at least ${costUnit[cost].format(least)}, the least that these layers can cost (got ${costUnit[cost].format(limit)})`,
  );
}

/** How a cost is written along an axis: its title, and the factor into its unit. */
const costAxis: Record<CostName, { title: string; scale: number }> = {
  flops: { title: "operations for one input (million)", scale: 1e-6 },
  bytes: { title: "size (KiB)", scale: 1 / 1024 },
  latency: { title: "time for one input (µs)", scale: 1000 },
};

/** A choice of layers, K and V under a budget, and the trade-off it was taken from; shows itself. */
export class Plan implements Displayable {
  constructor(
    readonly model: string,
    readonly cost: CostName,
    readonly layers: MeasuredLayer[],
    readonly points: PlanPoint[],
    readonly chosen: PlanPoint,
    /** Whose metric and divergence the figures are. */
    readonly task: Pick<Task, "metric" | "divergenceUnit">,
  ) {}

  /** For `lutnn.convert(model, plan.options)`. */
  get options(): Pick<ConvertOptions, "layers" | "numCentroids" | "subvectorLength"> {
    const replaced = Object.entries(this.chosen.choices).filter(
      (entry): entry is [string, LayerOption] => entry[1] !== null,
    );
    return {
      layers: replaced.map(([name]) => name),
      numCentroids: Object.fromEntries(replaced.map(([name, { numCentroids }]) => [name, numCentroids])),
      subvectorLength: Object.fromEntries(
        replaced.map(([name, { subvectorLength }]) => [name, subvectorLength]),
      ),
    };
  }

  /** What every layer gets. */
  toTable(): Table {
    const { format } = costUnit[this.cost];
    return new Table(
      [
        "layer",
        "choice",
        "K",
        "V",
        "local error",
        `divergence (${this.task.divergenceUnit})`,
        `${this.cost} dense`,
        `${this.cost} chosen`,
      ],
      this.layers.map(({ name, dense }) => {
        const choice = this.chosen.choices[name];
        return [
          name,
          choice ? "lookup" : "dense",
          choice?.numCentroids ?? null,
          choice?.subvectorLength ?? null,
          choice ? choice.localError.toFixed(3) : null,
          choice ? choice.harm.toFixed(4) : null,
          format(dense.cost[this.cost]),
          format((choice ?? dense).cost[this.cost]),
        ];
      }),
      this.summary(),
    );
  }

  summary(): string {
    const { format } = costUnit[this.cost];
    const drop = this.chosen.measuredDrop;
    const measured =
      drop === undefined
        ? ""
        : `; measured: ${this.difference(Math.abs(drop))} ${drop < 0 ? "gained" : "lost"} on the validation data`;
    return `${this.model}: ${format(this.points[0].cost)} dense, ${format(this.chosen.cost)} chosen, expected divergence ${this.chosen.harm.toFixed(4)} ${this.task.divergenceUnit}${measured}`;
  }

  /** A difference of the metric as words: per cent differ by points. */
  private difference(value: number): string {
    const { name, unit } = this.task.metric;
    return unit === "%"
      ? `${value.toFixed(2)} points of ${name}`
      : `${value.toPrecision(3)} ${unit} of ${name}`;
  }

  /** The trade-off: expected harm against cost, the chosen point marked. */
  figure(): Figure {
    const { format } = costUnit[this.cost];
    const { title, scale } = costAxis[this.cost];
    const last = this.points.length - 1;
    const names = this.points.map((_, i) => (i === 0 ? "dense" : i === last ? "all cheapest" : null));
    const costOf = (point: PlanPoint) => point.cost * scale;
    const replaced = Object.values(this.chosen.choices).filter((choice) => choice !== null).length;
    const chart: Chart = {
      title: `Trade-off of ${this.model}: ${this.cost} against harm`,
      subtitle: `chosen: ${format(this.chosen.cost)}, ${replaced} of ${this.layers.length} layers replaced; dense at the right, all cheapest at the left\nharm: sum of each layer's own divergence from the dense output`,
      categories: [],
      x: { title },
      panels: [
        {
          axis: `expected divergence (${this.task.divergenceUnit})`,
          series: [
            {
              name: "trade-off",
              kind: "line",
              values: this.points.map((point) => point.harm),
              at: this.points.map(costOf),
              labels: names.map((name, i) => (this.points[i] === this.chosen ? null : name)),
              color: 0,
            },
            {
              name: "chosen",
              kind: "points",
              values: [this.chosen.harm],
              at: [costOf(this.chosen)],
              labels: [`chosen: ${format(this.chosen.cost)}`],
              color: 1,
            },
          ],
        },
      ],
    };
    return new Figure(chart);
  }

  [displaySymbol](): MimeBundle {
    return { ...this.figure()[displaySymbol](), "text/plain": this.toTable().toString() };
  }
}
