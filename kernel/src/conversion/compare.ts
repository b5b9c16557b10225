import { Table } from "../charts/table";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import { methods } from "./methods/index";
import { type ConversionState, placedCalibration } from "./state";
import type { LayerWeights, NamedArrays } from "./storedArray";

/** How one layer is in two states. */
export interface LayerDifference {
  layer: string;
  /** How it is computed in each: "dense", "k-means", "k-means, trained". */
  before: string;
  after: string;
  /** ‖a − b‖ / ‖a‖ over all its numbers; null where the two are not of one kind. */
  change: number | null;
}

type Arrays = ReadonlyMap<string, Float32Array>;

const named = (arrays: NamedArrays): Arrays =>
  new Map(Object.entries(arrays).map(([name, array]) => [name, array.floats]));
const inOrder = (weights: LayerWeights): Arrays =>
  new Map(weights.map((weight, i) => [String(i), weight.floats]));

/** Relative distance of two sets of arrays; null when their names or lengths differ. */
function relativeChange(a: Arrays, b: Arrays): number | null {
  if (a.size !== b.size) return null;
  let difference = 0;
  let size = 0;
  for (const [name, x] of a) {
    const y = b.get(name);
    if (y?.length !== x.length) return null;
    for (let i = 0; i < x.length; i++) {
      difference += (x[i] - y[i]) ** 2;
      size += x[i] ** 2;
    }
  }
  if (difference === 0) return 0;
  return size > 0 ? Math.sqrt(difference / size) : null;
}

function describe(
  state: ConversionState,
  name: string,
  denseWeights: (name: string) => LayerWeights,
): { text: string; arrays: Arrays } {
  const placed = name in state.layers ? placedCalibration(state, name) : null;
  if (placed) {
    const { title } = methods[state.layers[name].replacedBy!];
    const { trained } = placed;
    return {
      text: trained ? `${title}, trained` : title,
      arrays: named(trained?.arrays ?? placed.arrays),
    };
  }
  const weights = state.weights[name];
  return { text: weights ? "dense, changed" : "dense", arrays: inOrder(weights ?? denseWeights(name)) };
}

/** Two states of a conversion, layer by layer; shows itself as a table. */
export class Comparison implements Displayable {
  constructor(
    readonly labels: readonly [string, string],
    /** Layers that can be replaced, and others that differ. */
    readonly rows: readonly LayerDifference[],
  ) {}

  /** Whether every number is the same. */
  get equal(): boolean {
    return this.rows.every(({ before, after, change }) => before === after && change === 0);
  }

  toTable(): Table {
    return new Table(
      ["layer", this.labels[0], this.labels[1], "change (%)"],
      this.rows.map(({ layer, before, after, change }) => [
        layer,
        before,
        after,
        change === null ? "–" : (100 * change).toFixed(2),
      ]),
      "change: ‖a − b‖ / ‖a‖ over a layer's numbers, where both are of one kind",
    );
  }

  toString(): string {
    return this.toTable().toString();
  }

  [displaySymbol](): MimeBundle {
    return this.toTable()[displaySymbol]();
  }
}

/** The differences between two states of one conversion. */
export function compareStates(
  a: { label: string; state: ConversionState },
  b: { label: string; state: ConversionState },
  denseWeights: (name: string) => LayerWeights,
): Comparison {
  const names = new Set([
    ...Object.keys(a.state.layers),
    ...Object.keys(a.state.weights),
    ...Object.keys(b.state.weights),
  ]);
  const rows = [...names].map((layer) => {
    const [before, after] = [a, b].map(({ state }) => describe(state, layer, denseWeights));
    return {
      layer,
      before: before.text,
      after: after.text,
      change: relativeChange(before.arrays, after.arrays),
    };
  });
  const labels: [string, string] =
    a.label === b.label ? [`${a.label} (first)`, `${b.label} (second)`] : [a.label, b.label];
  return new Comparison(labels, rows);
}
