import { cpus } from "node:os";
import * as tf from "@tensorflow/tfjs-node";
import { Figure } from "../charts/figure";
import { Table } from "../charts/table";
import type { Dataset } from "../datasets/dataset";
import { LutnnError } from "../errors";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import { Progress } from "../host/progress";
import { breathe, cellSignal } from "../host/signal";
import { INITIAL_INVERSE_TEMPERATURE_LOGIT, type LookupLayer } from "../layers/lookupLayer";
import { rebuildWithLookups } from "../layers/rebuild";
import { channelsFirst, exportIdentity, exportLayer } from "../onnx/exportModel";
import { seededRandom } from "../pq/random";
import { nativeLayer, requireNative } from "./nativeLayer";
import { recordInputs } from "./recordInputs";
import { InferenceSession, type TensorData, toChannelsFirst } from "./session";

/** Median and quartiles of some times, milliseconds. */
export interface Spread {
  median: number;
  lower: number;
  upper: number;
}

export interface LayerTiming {
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
}

/** What the quartiles say of a lookup beside its dense layer; "within noise" where they overlap. */
export type TimingVerdict = "faster" | "slower" | "within noise";

export function timingVerdict({ native, dense }: LayerTiming): TimingVerdict {
  if (native.upper < dense.lower) return "faster";
  return native.lower > dense.upper ? "slower" : "within noise";
}

const spreadOf = (times: number[]): Spread => {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
  return { median: at(0.5), lower: at(0.25), upper: at(0.75) };
};

const microseconds = ({ median, lower, upper }: Spread): string =>
  `${(median * 1000).toFixed(1)} (${(lower * 1000).toFixed(1)}–${(upper * 1000).toFixed(1)})`;

const noteOf = (row: LayerTiming): string =>
  [
    row.numCentroids === undefined ? "" : `K ${row.numCentroids}, V ${row.subvectorLength}`,
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
      title: "One image, one thread: lookup against dense layer",
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
        row.input,
        microseconds(row.dense),
        microseconds(row.native),
        `${(row.dense.median / row.native.median).toFixed(2)}×`,
        timingVerdict(row),
        microseconds(row.call),
      ]),
      `one image, one thread, medians (quartiles); ${this.machine}; native ${this.isa}`,
    );
  }

  [displaySymbol](): MimeBundle {
    return { ...this.figure()[displaySymbol](), "text/plain": this.toTable().toString() };
  }
}

export interface TimingOptions {
  /** Rounds; in each, native, dense and an empty call take turns. Default 200. */
  rounds?: number;
  signal?: AbortSignal;
}

/** Native calls of one round, of which the mean counts: one call can be shorter than the clock resolves. */
const callsPerRound = 5;

/**
 * Times one lookup layer against the dense layer that it stands for. Without `input` both get random numbers.
 */
export async function timeLayer(
  layer: LookupLayer,
  dense: tf.layers.Layer,
  { rounds = 200, input: given }: TimingOptions & { input?: TensorData & { kind: LayerTiming["input"] } },
  signal: AbortSignal,
): Promise<LayerTiming> {
  const input = given ?? randomInput((layer.input as tf.SymbolicTensor).shape.slice(1) as number[]);
  const native = nativeLayer(layer);
  const run = native.bind(input.data, 1, new Float32Array(native.positions * native.lookup.outputs));
  const session = await InferenceSession.create(exportLayer(dense));
  const shape = (layer.input as tf.SymbolicTensor).shape.slice(1) as number[];
  const empty = await InferenceSession.create(exportIdentity(shape));
  const times = { native: [] as number[], dense: [] as number[], call: [] as number[] };
  try {
    for (let round = -10; round < rounds; round++) {
      const t0 = performance.now();
      for (let i = 0; i < callsPerRound; i++) run();
      const t1 = performance.now();
      await session.run({ input });
      const t2 = performance.now();
      await empty.run({ input });
      const t3 = performance.now();
      if (round % 16 === 0) await breathe(signal);
      if (round < 0) continue; // warming up
      times.native.push((t1 - t0) / callsPerRound);
      times.dense.push(t2 - t1);
      times.call.push(t3 - t2);
    }
  } finally {
    await session.release();
    await empty.release();
  }
  const call = spreadOf(times.call);
  const dense_ = spreadOf(times.dense.map((time) => Math.max(0, time - call.median)));
  const { numCentroids, subvectorLength } = layer.lookup;
  return {
    layer: layer.name,
    input: input.kind,
    native: spreadOf(times.native),
    dense: dense_,
    call,
    numCentroids,
    subvectorLength,
  };
}

/** One input of random numbers in [−1, 1), channels first. */
function randomInput(shape: number[]): TensorData & { kind: "random" } {
  const random = seededRandom(0, "timing");
  const size = shape.reduce((product, length) => product * length, 1);
  const data = Float32Array.from({ length: size }, () => 2 * random() - 1);
  return { kind: "random", data, dims: [1, ...channelsFirst(shape)] };
}

const machine = (): string =>
  `${cpus()[0]?.model.trim() ?? "unknown processor"}, Node ${process.versions.node}`;

/**
 * Times every replaced layer of a converted network, native, against the dense layer that it replaced, in ONNX Runtime
 * (fp32): one image as recorded inside the network, one thread each, taking turns.
 */
export async function timeLayers(
  original: tf.LayersModel,
  converted: tf.LayersModel,
  image: Dataset,
  options: TimingOptions = {},
): Promise<LayerTimings> {
  const { isa } = requireNative();
  const signal = cellSignal(options.signal);
  const recorded = recordInputs(converted, image.take(1));
  if (recorded.length === 0)
    throw new LutnnError(
      "timeLayers: at least one layer must be replaced (none is); call replace(name) first",
    );
  const progress = new Progress("time layers", recorded.length, "layers");
  const rows: LayerTiming[] = [];
  for (const { layer, data, shape } of recorded) {
    const isImage = shape.length === 4;
    const input = {
      kind: "recorded" as const,
      data: isImage ? toChannelsFirst(data, shape.slice(1)) : data,
      dims: [1, ...channelsFirst(shape.slice(1))],
    };
    rows.push(await timeLayer(layer, original.getLayer(layer.name), { ...options, input }, signal));
    progress.update(rows.length);
  }
  progress.finish();
  return new LayerTimings(isa, machine(), rows);
}

/** A 3×3 convolution as large as the paper's networks have them: 28×28 positions, 128 → 128 channels, V = 9, K = 16. */
const paperShape = { size: 28, channels: 128, filter: 3, numCentroids: 16 };

/** The same comparison for one layer of the paper's size with random weights, centroids and input. */
export async function timePaperSizedLayer(
  options: TimingOptions & { seed?: number } = {},
): Promise<LayerTimings> {
  const { isa } = requireNative();
  const signal = cellSignal(options.signal);
  const { size, channels, filter, numCentroids } = paperShape;
  const subvectorLength = filter * filter;
  const random = seededRandom(options.seed ?? 0, "paper-sized layer");
  const numbers = (count: number) => Float32Array.from({ length: count }, () => 2 * random() - 1);
  const name = "paperSized";
  const input = tf.input({ shape: [size, size, channels] });
  const conv = tf.layers.conv2d({ filters: channels, kernelSize: filter, padding: "same", name });
  const model = tf.model({ inputs: input, outputs: conv.apply(input) as tf.SymbolicTensor });
  const lookup = {
    numCentroids,
    subvectorLength,
    tableSource: "table",
    tableBits: 8,
    tableScale: "layer",
    distance: "l2",
  } as const;
  const converted = await rebuildWithLookups(model, new Map([[name, lookup]]));
  const layer = converted.getLayer(name) as LookupLayer;
  layer.setLookup({
    centroids: numbers(channels * numCentroids * subvectorLength),
    table: numbers(channels * numCentroids * channels),
    bias: new Float32Array(channels),
    inverseTemperatureLogit: INITIAL_INVERSE_TEMPERATURE_LOGIT,
  });
  try {
    const row = await timeLayer(layer, conv, options, signal);
    return new LayerTimings(isa, machine(), [{ ...row, layer: `${size}²×${channels}, ${filter}×${filter}` }]);
  } finally {
    model.dispose();
    converted.dispose();
  }
}
