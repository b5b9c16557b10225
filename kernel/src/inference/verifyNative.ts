import * as tf from "@tensorflow/tfjs-node";
import { Table } from "../charts/table";
import { valuesOf } from "../compute/valuesOf";
import type { Dataset } from "../datasets/dataset";
import { LutnnError } from "../errors";
import { type Displayable, displaySymbol, type MimeBundle } from "../host/host";
import { cellSignal, yieldToEvents } from "../host/signal";
import { exportLayer } from "../layers/exportOnnx";
import { LutConv2D } from "../layers/lutConv2d";
import { encodeReference, lookupReference } from "../pq/reference";
import { type NativeLayer, nativeLayer, requireNative } from "./nativeLayer";
import { type RecordedInput, recordInputs } from "./recordInputs";
import { InferenceSession, toChannelsFirst } from "./session";

/** Best and second-best score closer than this, relative to the larger: runtimes may choose differently. */
export const NEAR_TIE = 1e-5;

/** One layer, native against the TypeScript reference and against the file's function in ONNX Runtime. */
export interface LayerVerification {
  layer: string;
  codes: number;
  /** Codes in which native and reference differ. */
  codesDifferent: number;
  sums: number;
  /** Integer sums in which native and reference differ. */
  sumsDifferent: number;
  /** Output rows (positions) that ONNX Runtime's function gives differently. */
  rowsDifferent: number;
  /** Of those, rows without a near tie in any codebook: these would be errors. */
  rowsUnexplained: number;
}

/** The comparison of all replaced layers; `ok` when nothing differs without a near tie. */
export class NativeVerification implements Displayable {
  constructor(
    readonly isa: string,
    readonly rows: LayerVerification[],
  ) {}

  get ok(): boolean {
    return this.rows.every(
      (row) => row.codesDifferent === 0 && row.sumsDifferent === 0 && row.rowsUnexplained === 0,
    );
  }

  toTable(): Table {
    return new Table(
      [
        "layer",
        "codes",
        "≠ reference",
        "integer sums",
        "≠ reference",
        "rows ≠ ONNX Runtime",
        "of these no near tie",
      ],
      this.rows.map((row) => [
        row.layer,
        row.codes,
        row.codesDifferent,
        row.sums,
        row.sumsDifferent,
        row.rowsDifferent,
        row.rowsUnexplained,
      ]),
      `native (${this.isa}) against the TypeScript reference, bit for bit, and against the functions in ONNX Runtime`,
    );
  }

  [displaySymbol](): MimeBundle {
    return this.toTable()[displaySymbol]();
  }
}

/**
 * Feeds each replaced layer what it receives inside the network, for some images, to the native backend, the loop
 * reference and ONNX Runtime.
 */
export async function verifyNative(
  model: tf.LayersModel,
  images: Dataset,
  options: { signal?: AbortSignal } = {},
): Promise<NativeVerification> {
  const { isa } = requireNative();
  const signal = cellSignal(options.signal);
  const recorded = recordInputs(model, images);
  if (recorded.length === 0)
    throw new LutnnError(
      "verifyNative: at least one layer must be replaced (none is); call replace(name) first",
    );
  const rows: LayerVerification[] = [];
  for (const input of recorded) {
    rows.push(await verifyLayer(input));
    await yieldToEvents(signal);
  }
  return new NativeVerification(isa, rows);
}

const countDifferent = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let count = 0;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) count++;
  return count;
};

async function verifyLayer({ layer, data, shape }: RecordedInput): Promise<LayerVerification> {
  const native = nativeLayer(layer);
  const { lookup } = native;
  const isConv = layer instanceof LutConv2D;
  const count = shape[0];
  const x = isConv ? toChannelsFirst(data, shape.slice(1)) : data;
  const windows = valuesOf(() => layer.inputRows(tf.tensor(data, shape)));
  const positions = count * native.positions;

  const codes = native.encode(x, count);
  const wantedCodes = encodeReference(windows, positions, lookup.centroids, lookup);
  const sums = native.accumulate(wantedCodes);
  const wantedSums = lookupReference(wantedCodes, positions, lookup.lookupTable, lookup, lookup.outputs);

  const y = new Float32Array(positions * lookup.outputs);
  native.bind(x, count, y)();
  const session = await InferenceSession.create(exportLayer(layer));
  const dims = isConv ? [count, shape[3], shape[1], shape[2]] : shape;
  const { output } = await session.run({ input: { data: x, dims } });
  await session.release();
  const different = differentRows(y, output.data, positions, native.positions, lookup.outputs, isConv);
  const tied = different.filter((row) => hasNearTie(windows, row, lookup));
  return {
    layer: layer.name,
    codes: codes.length,
    codesDifferent: countDifferent(codes, wantedCodes),
    sums: sums.length,
    sumsDifferent: countDifferent(sums, wantedSums),
    rowsDifferent: different.length,
    rowsUnexplained: different.length - tied.length,
  };
}

/** Indices of the rows (positions) in which two outputs differ anywhere. */
function differentRows(
  a: Float32Array,
  b: Float32Array,
  rows: number,
  rowsPerInput: number,
  outputs: number,
  planes: boolean,
): number[] {
  const at = (row: number, m: number) => {
    if (!planes) return row * outputs + m;
    const image = Math.floor(row / rowsPerInput);
    return (image * outputs + m) * rowsPerInput + (row % rowsPerInput);
  };
  const found: number[] = [];
  for (let row = 0; row < rows; row++)
    for (let m = 0; m < outputs; m++)
      if (a[at(row, m)] !== b[at(row, m)]) {
        found.push(row);
        break;
      }
  return found;
}

/** Whether in some codebook of a row the two best scores are closer than {@link NEAR_TIE}, relative to their terms. */
function hasNearTie(rows: Float32Array, row: number, lookup: NativeLayer["lookup"]): boolean {
  const { numCodebooks, numCentroids, subvectorLength, centroids } = lookup;
  for (let c = 0; c < numCodebooks; c++) {
    const from = (row * numCodebooks + c) * subvectorLength;
    const scores: { score: number; size: number }[] = [];
    for (let k = 0; k < numCentroids; k++) {
      const at = (c * numCentroids + k) * subvectorLength;
      let score = 0;
      let size = 0;
      for (let v = 0; v < subvectorLength; v++) {
        const [x, p] = [rows[from + v], centroids[at + v]];
        score += p * (x - p / 2);
        size += Math.abs(p * x) + (p * p) / 2;
      }
      scores.push({ score, size });
    }
    scores.sort((a, b) => b.score - a.score);
    const [best, second] = scores;
    if (best.score - second.score <= NEAR_TIE * Math.max(best.size, second.size)) return true;
  }
  return false;
}
