// The rows of the table of layers: which, and in which order. Plain functions.
import type {
  ConversionSections,
  LayerMeasures,
  PanelLayer,
  PanelMetric,
} from "../../../../kernel/src/report/conversionMessages";
import type { ErrorMeasure } from "../../errorFigure";

export interface LayerRow {
  /** Place in the network, from 0. */
  index: number;
  layer: PanelLayer;
  measures: LayerMeasures | null;
  /** Whether metrics, and errors, are of another state than the present one. */
  isStale: { metrics: boolean; errors: boolean };
  /** The metrics with this layer alone replaced, and with all but it, turned so that larger is worse. */
  harm: { alone: number | null; withoutIt: number | null };
  /** What the metric loses against the dense network with this layer alone replaced; below 0 where it gains. */
  loss: number | null;
  /** The same with every calibrated layer but this one replaced. */
  lossWithoutIt: number | null;
}

export const sortKeys = [
  "order",
  "state",
  "name",
  "shape",
  "numCentroids",
  "subvectorLength",
  "operations",
  "bytes",
  "milliseconds",
  "loss",
  "lossWithoutIt",
  "local",
  "accumulated",
] as const;
export type SortKey = (typeof sortKeys)[number];

export interface RowOrder {
  key: SortKey;
  descending: boolean;
}

export interface RowFilter {
  /** A part of the name, in either case. */
  name: string;
  /** Only layers that lose at least so much alone; null for all. */
  leastLoss: number | null;
}

/** How much worse than the dense network: positive is worse, whichever way the metric goes. */
export function lossOf(value: number | null, { dense, higherIsBetter }: PanelMetric): number | null {
  if (value === null || dense === null) return null;
  return higherIsBetter ? dense - value : value - dense;
}

const harmOf = (value: number | null | undefined, { higherIsBetter }: PanelMetric): number | null =>
  typeof value !== "number" ? null : higherIsBetter ? -value : value;

export function layerRows(
  layers: readonly PanelLayer[],
  measures: ConversionSections["measures"],
  metric: PanelMetric,
  current: number,
): LayerRow[] {
  const byLayer = new Map(measures.map((one) => [one.layer, one]));
  return layers.map((layer, index) => {
    const own = byLayer.get(layer.name) ?? null;
    const isOther = (state: number | null | undefined) => typeof state === "number" && state !== current;
    return {
      index,
      layer,
      measures: own,
      isStale: { metrics: isOther(own?.state), errors: isOther(own?.errorsState) },
      harm: { alone: harmOf(own?.onlyThis, metric), withoutIt: harmOf(own?.allButThis, metric) },
      loss: lossOf(own?.onlyThis ?? null, metric),
      lossWithoutIt: lossOf(own?.allButThis ?? null, metric),
    };
  });
}

export const shownRows = (rows: readonly LayerRow[], { name, leastLoss }: RowFilter): LayerRow[] => {
  const part = name.trim().toLowerCase();
  return rows.filter(
    ({ layer, loss }) =>
      layer.name.toLowerCase().includes(part) && (leastLoss === null || (loss !== null && loss >= leastLoss)),
  );
};

const stateOrder = ["dense", "calibrated", "training", "replaced"];

const sortValue = (row: LayerRow, key: SortKey, measure: ErrorMeasure): number | string | null => {
  const { layer, measures } = row;
  switch (key) {
    case "order":
      return row.index;
    case "state":
      return stateOrder.indexOf(layer.state);
    case "name":
      return layer.name;
    case "shape":
      return layer.positions * layer.inputLength;
    case "numCentroids":
    case "subvectorLength":
      return layer[key];
    case "operations":
    case "bytes":
    case "milliseconds":
      return layer.before[key];
    // The same order as that of the losses, which are unknown as long as the dense network has not been measured.
    case "loss":
      return row.harm.alone;
    case "lossWithoutIt":
      return row.harm.withoutIt;
    case "local":
    case "accumulated":
      return measures?.[key]?.[measure] ?? null;
  }
};

/** Sorted anew; what was not measured comes last either way, and equal ones keep the network's order. */
export function sortedRows(
  rows: readonly LayerRow[],
  { key, descending }: RowOrder,
  measure: ErrorMeasure,
): LayerRow[] {
  const sign = descending ? -1 : 1;
  const valued = rows.map((row) => ({ row, value: sortValue(row, key, measure) }));
  valued.sort((a, b) => {
    if (a.value === null || b.value === null)
      return Number(a.value === null) - Number(b.value === null) || a.row.index - b.row.index;
    const order =
      typeof a.value === "string"
        ? a.value.localeCompare(String(b.value), "en", { numeric: true })
        : a.value - Number(b.value);
    return sign * order || a.row.index - b.row.index;
  });
  return valued.map(({ row }) => row);
}
