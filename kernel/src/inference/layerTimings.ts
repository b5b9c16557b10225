import { Figure } from "../charts/figure";
import { Table } from "../charts/table";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import type { CodeKind } from "../pq/integerCodes";

/** Median and quartiles of some times, milliseconds. */
export interface Spread {
  median: number;
  lower: number;
  upper: number;
}

export interface LayerTiming {
  /** The layer's name, with `#2` and so on for later calls of a layer that is used again. */
  layer: string;
  /** What flows in: recorded inside the network, or random numbers. */
  input: "recorded" | "random";
  /** One call of the lookup in the native backend, ms. */
  native: Spread;
  /** One call of the dense layer in ONNX Runtime, fp32, without the cost of a call, ms. */
  dense: Spread;
  /** The cost of a call: an Identity of the same input in ONNX Runtime, ms. */
  call: Spread;
  /** K and V of the lookup. */
  numCentroids?: number;
  subvectorLength?: number;
  /** In which numbers its codes are defined. */
  codes?: CodeKind;
}

/** What the quartiles say of a lookup beside its dense layer; "within noise" where they overlap. */
export type TimingVerdict = "faster" | "slower" | "within noise";

export function timingVerdict({ native, dense }: LayerTiming): TimingVerdict {
  if (native.upper < dense.lower) return "faster";
  return native.lower > dense.upper ? "slower" : "within noise";
}

export const spreadOf = (times: number[]): Spread => {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
};

const microseconds = ({ median, lower, upper }: Spread): string =>
  `${(median * 1000).toFixed(1)} (${(lower * 1000).toFixed(1)}–${(upper * 1000).toFixed(1)})`;

const noteOf = (row: LayerTiming): string =>
  [
    row.numCentroids === undefined ? "" : `K ${row.numCentroids}, V ${row.subvectorLength}`,
    row.codes === "int8" ? "codes in int8" : "",
    timingVerdict(row),
  ]
    .filter(Boolean)
    .join("\n");

/** Times of replaced layers, native against dense; shows itself as a chart. */
export class LayerTimings implements Displayable {
  constructor(
    readonly isa: string,
    readonly machine: string,
    readonly rows: LayerTiming[],
  ) {}

  /** These and more, in one chart. */
  with(other: LayerTimings): LayerTimings {
    return new LayerTimings(this.isa, this.machine, [...this.rows, ...other.rows]);
  }

  figure(): Figure {
    const times = (pick: (row: LayerTiming) => Spread) => ({
      values: this.rows.map((row) => pick(row).median * 1000),
      spread: this.rows.map((row): [number, number] => [pick(row).lower * 1000, pick(row).upper * 1000]),
    });
    return new Figure({
      title: "One example, one thread: lookup against dense layer",
      subtitle: `${this.verdicts()}\nmedians and quartiles; native ${this.isa}, ONNX Runtime fp32 without its call cost; ${this.machine}`,
      categories: this.rows.map(({ layer, input }) =>
        input === "random" ? `${layer}\n(random input)` : layer,
      ),
      categoryName: "layer",
      notes: this.rows.map(noteOf),
      panels: [
        {
          axis: "time (µs, logarithmic)",
          scale: "log",
          series: [
            { name: "dense, ONNX Runtime fp32", kind: "bar", ...times((row) => row.dense), color: 7 },
            { name: `lookup, native ${this.isa}`, kind: "bar", ...times((row) => row.native), color: 2 },
          ],
        },
      ],
    });
  }

  /** Which lookups are faster than their dense layers, which slower, and of which the quartiles overlap. */
  verdicts(): string {
    const parts = (["faster", "slower", "within noise"] as const).flatMap((verdict) => {
      const layers = this.rows.filter((row) => timingVerdict(row) === verdict).map(({ layer }) => layer);
      return layers.length > 0 ? [`${verdict}: ${layers.join("; ")}`] : [];
    });
    return `lookups against dense layers – ${parts.join(" – ")}`;
  }

  toTable(): Table {
    return new Table(
      [
        "layer",
        "K",
        "V",
        "codes",
        "input",
        "dense fp32 (µs)",
        "lookup (µs)",
        "dense / lookup",
        "verdict",
        "ONNX Runtime's call (µs)",
      ],
      this.rows.map((row) => [
        row.layer,
        row.numCentroids ?? null,
        row.subvectorLength ?? null,
        row.codes ?? "float32",
        row.input,
        microseconds(row.dense),
        microseconds(row.native),
        `${(row.dense.median / row.native.median).toFixed(2)}×`,
        timingVerdict(row),
        microseconds(row.call),
      ]),
      `one example, one thread, medians (quartiles); ${this.machine}; native ${this.isa}`,
    );
  }

  [displaySymbol](): MimeBundle {
    return { ...this.figure()[displaySymbol](), "text/plain": this.toTable().toString() };
  }
}
