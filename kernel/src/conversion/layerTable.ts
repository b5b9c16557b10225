import { Table } from "../charts/table";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import type { LinearOperator } from "../layers/linearOperator";
import type { CodeKind } from "../pq/integerCodes";
import {
  type Cost,
  denseCost,
  type LookupCost,
  lookupCost,
  type OperatorSizes,
  totalCost,
} from "../report/counting";
import type { CalibrationMethod } from "./methods/index";
import type { RestLayer } from "./restOfNetwork";
import { subvectorLengths, type Target } from "./targets";

export type LayerState = "dense" | "calibrated" | "replaced";

/** One convertible layer: its sizes and its costs for one input, before and after. */
export interface LayerInfo extends OperatorSizes {
  name: string;
  op: LinearOperator["op"];
  state: LayerState;
  /** By which the layer is replaced; null while it is not. */
  method: CalibrationMethod | null;
  /** C */
  numCodebooks: number;
  /** Lengths of one example of what the layer's first call receives and makes. */
  inputShape: number[];
  outputShape: number[];
  /** What K and V may be changed to, by `resize`; K may be any other number from 2 to 256 too. */
  choices: { numCentroids: number[]; subvectorLengths: number[] };
  before: Cost;
  after: LookupCost;
}

/** What a whole network costs for one input, dense and with all its convertible layers as lookups. */
export interface NetworkCost {
  dense: Cost;
  lookup: LookupCost;
}

const millions = (value: number): string => `${(value / 1e6).toFixed(3)} M`;
const kibibytes = (value: number): string => `${(value / 1024).toFixed(1)} KiB`;
const ratio = (before: number, after: number): string => `${(before / after).toFixed(2)}×`;

/** The convertible layers of a network; shows itself as a table with totals. */
export class LayerTable implements Displayable, Iterable<LayerInfo> {
  constructor(
    readonly model: string,
    readonly rows: readonly LayerInfo[],
    /** What to read beside the table: the network's task, limits; a sentence or phrase each. */
    readonly remarks: readonly string[] = [],
    /** The layers that stay as they are and count. */
    readonly rest: readonly RestLayer[] = [],
  ) {}

  [Symbol.iterator](): Iterator<LayerInfo> {
    return this.rows[Symbol.iterator]();
  }

  /** Names in network order. */
  get names(): string[] {
    return this.rows.map((row) => row.name);
  }

  /** The whole network, layers that stay as they are included; the same numbers as `npx lutnn count` prints. */
  get network(): NetworkCost {
    const rest = totalCost(this.rest.map(({ cost }) => cost));
    const dense = totalCost([rest, ...this.rows.map(({ before }) => before)]);
    const after = this.rows.map((row) => row.after);
    const lookup = totalCost([rest, ...after]);
    const additions = after.reduce((sum, cost) => sum + cost.additions, 0);
    return { dense, lookup: { ...lookup, additions, multiplyAdds: lookup.operations - additions } };
  }

  toTable(): Table {
    // Only where some are not those of the paper.
    const showsCodes = this.rows.some(({ codes }) => codes === "int8");
    const cells = this.rows.map((row) => [
      row.name,
      row.op,
      row.state,
      ...(showsCodes ? [row.codes ?? "float32"] : []),
      row.positions,
      row.inputLength,
      row.outputs,
      row.numCentroids,
      row.subvectorLength,
      row.numCodebooks,
      millions(row.before.operations),
      millions(row.after.operations),
      ratio(row.before.operations, row.after.operations),
      kibibytes(row.before.bytes),
      kibibytes(row.after.bytes),
      ratio(row.before.bytes, row.after.bytes),
    ]);
    const totals = (name: string, before: Cost, after: Cost) => [
      name,
      ...Array<string>(showsCodes ? 9 : 8).fill(""),
      millions(before.operations),
      millions(after.operations),
      ratio(before.operations, after.operations),
      kibibytes(before.bytes),
      kibibytes(after.bytes),
      ratio(before.bytes, after.bytes),
    ];
    const all = [totalCost(this.rows.map((row) => row.before)), totalCost(this.rows.map((row) => row.after))];
    const { dense, lookup } = this.network;
    return new Table(
      [
        "layer",
        "op",
        "state",
        ...(showsCodes ? ["codes"] : []),
        "N",
        "D",
        "M",
        "K",
        "V",
        "C",
        "FLOPs dense",
        "FLOPs LUT",
        "FLOPs ratio",
        "bytes dense",
        "bytes LUT",
        "bytes ratio",
      ],
      [
        ...cells,
        totals("all of these", all[0], all[1]),
        ...(this.rest.length > 0 ? [totals("whole network", dense, lookup)] : []),
      ],
      [
        `${this.model}: layers that can be replaced (one input: N rows of length D to M outputs; 1 multiply-add = 1 FLOP)`,
        ...this.remarks,
      ].join("; "),
    );
  }

  toString(): string {
    return this.toTable().toString();
  }

  [displaySymbol](): MimeBundle {
    return this.toTable()[displaySymbol]();
  }
}

/** K that are worth a choice. */
const usualCentroids = [2, 4, 8, 16, 32, 64, 128, 256];

export function layerInfo(
  target: Target,
  state: LayerState,
  codes: CodeKind = "float32",
  method: CalibrationMethod | null = null,
): LayerInfo {
  const { inputLength, outputs, op } = target.operator;
  const { name, positions, numCodebooks, numCentroids, subvectorLength, calls } = target;
  const [{ node }] = calls;
  const sizes = { positions, inputLength, outputs, numCentroids, subvectorLength, codes };
  return {
    name,
    op,
    state,
    method,
    numCodebooks,
    ...sizes,
    inputShape: lengthsOf(node.inputShapes[0]),
    outputShape: lengthsOf(node.outputShapes[0]),
    choices: {
      numCentroids: [...new Set([...usualCentroids, numCentroids])].sort((a, b) => a - b),
      subvectorLengths: subvectorLengths(target.operator, codes),
    },
    before: denseCost(sizes),
    after: lookupCost(sizes),
  };
}

const lengthsOf = (shape: readonly (number | null)[]): number[] =>
  shape.slice(1).map((length) => length ?? 0);
