import { LutnnError, tf } from "lutnn";
import { register } from "lutnn-native/training";
import { describe, expect, it } from "vitest";
import { type OperatorAttributes, runOperator } from "../../../kernel/lib/compute/tensorflowOperator";

const lookup = { from_weight: true, window: { int: [] }, bits: { int: 8 }, scale_per_output: false };

describe("an operator of the training addon", () => {
  it.each<[string, string, OperatorAttributes, number[][], string]>([
    [
      "a weight that does not belong to the centroids",
      "LutnnTable",
      {},
      [
        [2, 3, 4],
        [7, 5],
      ],
      "LutnnTable: soft-PQ: the weight must be (C·V, M) (got (7, 5))",
    ],
    [
      "more centroids than a byte can name",
      "LutnnTable",
      {},
      [
        [2, 300, 4],
        [8, 5],
      ],
      "LutnnTable: soft-PQ: centroids must be (C, K, V), and K 1 … 256 (got (2, 300, 4))",
    ],
    [
      "bits that no table has",
      "LutnnSoftLookup",
      { ...lookup, bits: { int: 1 } },
      [
        [2, 8],
        [2, 3, 4],
        [8, 5],
      ],
      "LutnnSoftLookup: soft-PQ: bits must be 2 … 8, 16, or 0 for the real table (got 1)",
    ],
    [
      "a window of two numbers",
      "LutnnSoftLookup",
      { ...lookup, window: { int: [1, 2] } },
      [
        [2, 8],
        [2, 3, 4],
        [8, 5],
      ],
      "LutnnSoftLookup: soft-PQ: window must be six numbers from 1 and four from 0, each at most 16777216 (got (1, 2))",
    ],
  ])(
    "refuses %s with a LutnnError of one sentence, and keeps no tensor",
    (_what, name, attributes, shapes, message) => {
      register();
      tf.tidy(() => {
        const inputs = shapes.map((shape) => tf.zeros(shape));
        const before = tf.memory().numTensors;
        expect(() => runOperator(name, attributes, inputs, 1)).toThrow(new LutnnError(message));
        expect(tf.memory().numTensors).toBe(before);
      });
    },
  );
});
