// What has been measured of a conversion's states, so that whoever looks on need not measure again.
import type { LayerTimings } from "../inference/layerTimings";
import type { LayerMeasures } from "../report/conversionMessages";
import type { ErrorAccumulationReport, ErrorSeries } from "../report/errorAccumulation";
import type { LayerEffect } from "./measureLayers";

/** What is known of one layer, as a panel is told it; null where it was not measured. */
export type LayerFigures = LayerMeasures;

/** Medians for one input over all calls of a layer, milliseconds. */
export interface LayerTime {
  dense: number;
  /** Null where a lookup of these sizes was not timed. */
  lookup: number | null;
}

/** Series that the errors are kept of; the oldest go. */
const mostSeries = 8;

/** What tells states' networks apart: two with the same key compute the same, so that figures of one are figures of both. */
export interface NetworkKeys {
  /** Key of a state's network, by the state's number. */
  network(state: number): unknown;
  /** Key of its network with every calibrated layer replaced. */
  whole(state: number): unknown;
}

/** Every state has a network of its own. */
const ownNetworks: NetworkKeys = { network: (state) => state, whole: (state) => state };

/** A state of which something is known and whose key is the same: the state itself, else the newest; null where there is none. */
function knownAs(
  known: ReadonlyMap<number, unknown>,
  state: number,
  key: (state: number) => unknown,
): number | null {
  if (known.has(state)) return state;
  if (known.size === 0) return null;
  const wanted = key(state);
  return [...known.keys()].reverse().find((one) => key(one) === wanted) ?? null;
}

/**
 * Figures by state; those that were measured on data are forgotten when other data take their place. What was measured in a
 * state holds in every other that has the same network: after an undo, or when layers have been replaced in another order.
 */
export class Figures {
  private readonly metrics = new Map<number, number>();
  private readonly effects = new Map<number, ReadonlyMap<string, LayerEffect>>();
  private readonly series = new Map<number, { report: ErrorAccumulationReport; series: ErrorSeries }>();
  /** Of a measurement that runs. */
  private running: { state: number; report: ErrorAccumulationReport } | null = null;
  private readonly times = new Map<string, { dense: number; lookup: number; sizes: string }>();
  private readonly networkTimes = new Map<number, number>();
  private denseTime: number | null = null;
  /** The metric of the dense network; null until measured. */
  denseMetric: number | null = null;

  constructor(private readonly keys: NetworkKeys = ownNetworks) {}

  /** Forgets what was measured on other data; times stay. */
  clear(): void {
    this.metrics.clear();
    this.effects.clear();
    this.series.clear();
    this.denseMetric = null;
  }

  setMetric(state: number, value: number): void {
    this.metrics.delete(state);
    this.metrics.set(state, value);
  }

  /** The task's metric of the network of a state; null until measured. */
  metric(state: number): number | null {
    const at = knownAs(this.metrics, state, this.keys.network);
    return at === null ? null : this.metrics.get(at)!;
  }

  setEffects(state: number, effects: ReadonlyMap<string, LayerEffect>): void {
    this.effects.delete(state);
    this.effects.set(state, effects);
  }

  /** A report of a measurement that still runs; null where it has ended, as it may without a report. */
  setRunningErrors(running: { state: number; report: ErrorAccumulationReport } | null): void {
    this.running = running;
  }

  /** The last series of a finished report is of a state. */
  setErrors(state: number, report: ErrorAccumulationReport): void {
    const series = report.series[report.series.length - 1];
    this.series.delete(state);
    this.series.set(state, { report, series });
    for (const oldest of this.series.keys()) if (this.series.size > mostSeries) this.series.delete(oldest);
    this.denseMetric = report.metric.dense;
    if (series.metric !== null) this.setMetric(state, series.metric);
  }

  /** One series for each state that errors were or are being measured in, the newest last; null before the first. */
  get errors(): ErrorAccumulationReport | null {
    const all = [...this.series];
    if (this.running) {
      const { state, report } = this.running;
      const others = all.filter(([of]) => of !== state);
      all.splice(0, all.length, ...others, [state, { report, series: report.series[0] }]);
    }
    const newest = all.at(-1)?.[1].report;
    if (!newest) return null;
    const count = new Map<string, number>();
    for (const [, { series }] of all) count.set(series.name, (count.get(series.name) ?? 0) + 1);
    const named = all.map(([state, { series }]) =>
      count.get(series.name) === 1 ? series : { ...series, name: `${series.name} (state ${state})` },
    );
    return { ...newest, series: named };
  }

  /**
   * What is known of each layer: metrics and errors each of the state asked for, where they were measured in it or in one with
   * the same network, else of the newest one that they were measured in.
   */
  layers(names: readonly string[], state: number): LayerFigures[] {
    const { network, whole } = this.keys;
    const [sameEffects, sameErrors] = [
      knownAs(this.effects, state, whole),
      knownAs(this.series, state, network),
    ];
    const newest = (known: ReadonlyMap<number, unknown>) => [...known.keys()].at(-1) ?? null;
    const [effectsAt, errorsAt] = [sameEffects ?? newest(this.effects), sameErrors ?? newest(this.series)];
    if (effectsAt === null && errorsAt === null) return [];
    const effects = effectsAt === null ? undefined : this.effects.get(effectsAt);
    const found = errorsAt === null ? undefined : this.series.get(errorsAt);
    return names.map((layer) => {
      const effect = effects?.get(layer);
      const index = found?.report.layers.findIndex(({ name }) => name === layer) ?? -1;
      const errors = found?.series.errors[index];
      return {
        layer,
        state: sameEffects === null ? effectsAt : state,
        onlyThis: effect?.onlyThis ?? null,
        allButThis: effect?.allButThis ?? null,
        errorsState: sameErrors === null ? errorsAt : state,
        local: errors?.local ?? null,
        accumulated: errors?.accumulated ?? null,
      };
    });
  }

  /** Times of lookups are those of their sizes, whatever their numbers are. */
  setTimes({ rows }: LayerTimings): void {
    const names = new Map<string, { dense: number; lookup: number; sizes: string }>();
    for (const row of rows) {
      const name = row.layer.replace(/#\d+$/, "");
      const before = names.get(name) ?? { dense: 0, lookup: 0, sizes: "" };
      names.set(name, {
        dense: before.dense + row.dense.median,
        lookup: before.lookup + row.native.median,
        sizes: `${row.numCentroids}, ${row.subvectorLength}`,
      });
    }
    for (const [name, time] of names) this.times.set(name, time);
  }

  /** Times of a layer, and of its lookup of this K and V; null where it was not timed. */
  time(layer: string, numCentroids: number, subvectorLength: number): LayerTime | null {
    const known = this.times.get(layer);
    if (!known) return null;
    const isSame = known.sizes === `${numCentroids}, ${subvectorLength}`;
    return { dense: known.dense, lookup: isSame ? known.lookup : null };
  }

  setNetworkTime(state: number | "dense", milliseconds: number): void {
    if (state === "dense") this.denseTime = milliseconds;
    else this.networkTimes.set(state, milliseconds);
  }

  networkTime(state: number | "dense"): number | null {
    if (state === "dense") return this.denseTime;
    const at = knownAs(this.networkTimes, state, this.keys.network);
    return at === null ? null : this.networkTimes.get(at)!;
  }
}
