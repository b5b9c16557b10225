import { Table } from "../charts/table";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import type { LinearOperator } from "../layers/linearOperator";
import { type Cost, denseCost, lookupCost, type OperatorSizes } from "../report/counting";
import type { Target } from "./targets";

export type LayerState = "dense" | "calibrated" | "replaced";

/** One convertible layer: its sizes and its costs for one input, before and after. */
export interface LayerInfo extends OperatorSizes {
  name: string;
  op: LinearOperator["op"];
  state: LayerState;
  /** C */
  numCodebooks: number;
  before: Cost;
  after: Cost;
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
  ) {}

  [Symbol.iterator](): Iterator<LayerInfo> {
    return this.rows[Symbol.iterator]();
  }

  /** Names in network order. */
  get names(): string[] {
    return this.rows.map((row) => row.name);
  }

  toTable(): Table {
    const total = (pick: (row: LayerInfo) => number) => this.rows.reduce((sum, row) => sum + pick(row), 0);
    const cells = this.rows.map((row) => [
      row.name,
      row.op,
      row.state,
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
    const operations = [total((row) => row.before.operations), total((row) => row.after.operations)] as const;
    const bytes = [total((row) => row.before.bytes), total((row) => row.after.bytes)] as const;
    const empty = Array<string>(8).fill("");
    return new Table(
      [
        "layer",
        "op",
        "state",
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
        [
          "all",
          ...empty,
          millions(operations[0]),
          millions(operations[1]),
          ratio(...operations),
          kibibytes(bytes[0]),
          kibibytes(bytes[1]),
          ratio(...bytes),
        ],
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

export function layerInfo(target: Target, state: LayerState): LayerInfo {
  const { inputLength, outputs, op } = target.operator;
  const { name, positions, numCodebooks, numCentroids, subvectorLength } = target;
  const sizes = { positions, inputLength, outputs, numCentroids, subvectorLength };
  return { name, op, state, numCodebooks, ...sizes, before: denseCost(sizes), after: lookupCost(sizes) };
}
