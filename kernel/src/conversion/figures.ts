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

/** Milliseconds for one input of the whole network, by its state; of the dense network under "dense". */
export type NetworkTimes = ReadonlyMap<number | "dense", number>;

/** Series that the errors are kept of; the oldest go. */
const mostSeries = 8;

/** Figures by state; those that were measured on data are forgotten when other data take their place. */
export class Figures {
  private readonly metrics = new Map<number, number>();
  private readonly effects = new Map<number, ReadonlyMap<string, LayerEffect>>();
  private readonly series = new Map<number, { report: ErrorAccumulationReport; series: ErrorSeries }>();
  /** Of a measurement that runs. */
  private running: { state: number; report: ErrorAccumulationReport } | null = null;
  private readonly times = new Map<string, { dense: number; lookup: number; sizes: string }>();
  private readonly whole = new Map<number | "dense", number>();
  /** The metric of the dense network; null until measured. */
  denseMetric: number | null = null;

  /** Forgets what was measured on other data; times stay. */
  clear(): void {
    this.metrics.clear();
    this.effects.clear();
    this.series.clear();
    this.denseMetric = null;
  }

  setMetric(state: number, value: number): void {
    this.metrics.set(state, value);
  }

  /** The task's metric of the network of a state; null until measured. */
  metric(state: number): number | null {
    return this.metrics.get(state) ?? null;
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
    if (series.metric !== null) this.metrics.set(state, series.metric);
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

  /** What is known of each layer: metrics and errors each in the state asked for, else in the newest one that they were measured in. */
  layers(names: readonly string[], state: number): LayerFigures[] {
    const at = (known: ReadonlyMap<number, unknown>) =>
      known.has(state) ? state : ([...known.keys()].at(-1) ?? null);
    const [effectsAt, errorsAt] = [at(this.effects), at(this.series)];
    if (effectsAt === null && errorsAt === null) return [];
    const effects = effectsAt === null ? undefined : this.effects.get(effectsAt);
    const found = errorsAt === null ? undefined : this.series.get(errorsAt);
    return names.map((layer) => {
      const effect = effects?.get(layer);
      const index = found?.report.layers.findIndex(({ name }) => name === layer) ?? -1;
      const errors = found?.series.errors[index];
      return {
        layer,
        state: effectsAt,
        onlyThis: effect?.onlyThis ?? null,
        allButThis: effect?.allButThis ?? null,
        errorsState: errorsAt,
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
    this.whole.set(state, milliseconds);
  }

  networkTime(state: number | "dense"): number | null {
    return this.whole.get(state) ?? null;
  }
}
