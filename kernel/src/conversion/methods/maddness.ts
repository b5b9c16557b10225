import * as tf from "@tensorflow/tfjs-node";
import { valuesOf } from "../../compute/valuesOf";
import { MaddnessLayer } from "../../layers/maddnessLayer";
import { makeMaddness } from "../../layers/makeLookup";
import { Maddness, type MaddnessForm, type MaddnessTable, TREE_LEAVES } from "../../pq/maddness";
import { type NamedArrays, StoredArray } from "../storedArray";
import type { Target } from "../targets";
import { calibrateAlone, rowsPerCentroid } from "./calibrateAlone";
import type { Method } from "./method";

/** Rows that prototypes are fitted on; the trees see as many as k-means. */
const rowsPerMaddness = 16_384;

function store(
  maddness: Maddness,
  { values, offsets, scale, outputs }: MaddnessTable,
  bias: Float32Array | null,
): NamedArrays {
  const { dimensions, thresholds, scales } = maddness.treeArrays;
  const { numCodebooks } = maddness;
  return {
    dimensions: new StoredArray([numCodebooks, dimensions.length / numCodebooks], dimensions),
    thresholds: new StoredArray([numCodebooks, thresholds.length / numCodebooks], thresholds),
    scales: new StoredArray([scales.length], scales),
    table: new StoredArray([numCodebooks, TREE_LEAVES, outputs], values),
    tableOffsets: new StoredArray([numCodebooks], offsets),
    tableScale: new StoredArray([1], Float32Array.of(scale)),
    ...(bias ? { bias: new StoredArray([outputs], bias) } : {}),
  };
}

/** Maddness on the inputs that each layer sees in the dense network: exact sums, to compare with; never trained. */
function method(title: string, form: MaddnessForm): Method {
  return {
    title,
    trainable: false,

    calibrate: (run) =>
      calibrateAlone(
        run,
        title,
        () => rowsPerMaddness,
        async (target, rows) => {
          const weight = valuesOf(() => target.operator.weight());
          const { inputLength } = target.operator;
          const outputs = valuesOf(() =>
            tf.matMul(
              tf.tensor2d(rows, [rows.length / inputLength, inputLength]),
              tf.tensor2d(weight, [inputLength, weight.length / inputLength]),
            ),
          );
          const { coder, table } = await Maddness.fitLayer(
            rows,
            target,
            { weight, target: outputs },
            { form, treeRows: rowsPerCentroid * TREE_LEAVES, signal: run.signal },
          );
          return store(coder, table, target.operator.bias());
        },
      ),

    layerFor: ({ layer, name }: Target) => makeMaddness(layer, name),

    fill(layer, arrays) {
      if (!(layer instanceof MaddnessLayer)) throw new TypeError(`${layer.name} is no Maddness layer`);
      const [numCodebooks, , outputs] = arrays.table.shape;
      const inputLength = layer.inputLength;
      const shape = { numCodebooks, subvectorLength: inputLength / numCodebooks };
      const { values } = arrays.table;
      layer.setMaddness({
        maddness: Maddness.fromTrees(form, shape, {
          dimensions: Int32Array.from(arrays.dimensions.values),
          thresholds: arrays.thresholds.floats,
          scales: Float64Array.from(arrays.scales.values),
        }),
        table: {
          values: values instanceof Uint8Array ? values : arrays.table.floats,
          offsets: arrays.tableOffsets.floats,
          scale: arrays.tableScale.floats[0],
          outputs,
        },
        bias: arrays.bias?.floats ?? null,
      });
    },

    read: () => {
      throw new TypeError(`${title} is not trained`);
    },
  };
}

export const maddness = method("Maddness", "true");
export const maddnessFast = method("Maddness, fast form", "fast");
