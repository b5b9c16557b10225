import { type CalibrationMethod, convert, datasets, models, profiles, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { randomFloats } from "../random";

const [size, length] = [24, 7];
const sizes = {
  depth: 2,
  width: 12,
  numHeads: 3,
  feedForwardWidth: 16,
  vocabularySize: 40,
  numPositions: 8,
  sequenceLength: length,
  pooling: "mean" as const,
  outputs: 2,
};

/** From two to seven real tokens, and what stands behind them: padding, or anything. */
function sentences(behind: number, isMaskGiven: boolean): datasets.ArrayExamples {
  const real = (i: number) => i % length < 2 + (Math.floor(i / length) % (length - 1));
  const numbers = randomFloats(size * length, 1).map((value) => Math.floor(Math.abs(value) * 1e4));
  const whole = (value: (number: number, i: number) => number) => Int32Array.from(numbers, value);
  const mask = whole((_, i) => (real(i) ? 1 : 0));
  const tokens = whole((number, i) => (real(i) ? 1 + (number % 39) : (behind * number) % 40));
  const shape = [length];
  return new datasets.ArrayExamples({
    name: "sentences",
    inputs: {
      tokens: { shape, values: tokens },
      segments: { shape, values: whole((_, i) => (real(i) ? 0 : behind % 2)) },
      mask: { shape, values: mask },
    },
    target: { kind: "class", classes: 2 },
    targets: Int32Array.from({ length: size }, (_, i) => i % 2),
    ...(isMaskGiven ? { mask } : {}),
  });
}

function conversionOf(profile: "plus" | "paper" = "plus") {
  const model = models.bert({ ...sizes, seed: 3 });
  // Weights of a size that tells tokens apart.
  for (const layer of model.layers)
    if (/tokens|query|key|value|output|feedForward/.test(layer.name))
      layer.setWeights(layer.getWeights().map((weight) => tf.mul(weight, 15)));
  return convert(model, { layers: models.bertLayers(model), numCentroids: 4, subvectorLength: 4, profile });
}

describe("an encoder that is converted", () => {
  it.each<CalibrationMethod>(["kmeans", "leastSquares"])(
    "learns nothing of padding by %s, whether the data or the network's input tell it, and counts no error there",
    async (method) => {
      const results: unknown[] = [];
      for (const [behind, isMaskGiven] of [
        [0, true],
        [7, true],
        [7, false],
      ] as const) {
        const conversion = conversionOf();
        const data = sentences(behind, isMaskGiven);
        await conversion.calibrate(data, { method });
        await conversion.replaceAll();
        const { report } = await conversion.errorAccumulation(data);
        const output = conversion.model.predict(
          [...Object.values(sentences(0, true).arrays.inputs)].map(({ values }) =>
            tf.tensor2d(values, [size, length], "int32"),
          ),
        ) as tf.Tensor;
        results.push([[...output.dataSync()], report.metric, report.series]);
      }
      expect(results[1]).toEqual(results[0]);
      expect(results[2]).toEqual(results[0]);
    },
  );

  it.each(["paper", "plus"] as const)(
    "has one codebook for query, key and value of an encoder, in profile %s",
    async (profile) => {
      const conversion = conversionOf(profile);
      await conversion.calibrate(sentences(0, true));
      const method = profile === "paper" ? "kmeans" : "leastSquares";
      const centroids = (name: string) =>
        conversion.state.layers[name].calibrations[method]!.arrays.centroids.floats;
      for (const encoder of [0, 1]) {
        const [query, key, value, output] = ["query", "key", "value", "output"].map((name) =>
          centroids(`encoder${encoder}/attention/${name}`),
        );
        expect(key).toEqual(query);
        expect(value).toEqual(query);
        expect(output).not.toEqual(query);
      }
      expect(centroids("encoder1/attention/query")).not.toEqual(centroids("encoder0/attention/query"));
    },
  );

  it("takes one V for all layers, and another ridge for another profile", async () => {
    const { layers } = conversionOf();
    expect([...layers].map(({ subvectorLength }) => subvectorLength)).toEqual(Array(12).fill(4));
    expect([profiles.plus.calibrate.ridge, profiles.paper.calibrate.ridge]).toEqual(["heldOut", 1e-3]);
    const model = models.bert(sizes);
    expect(() => convert(model, { layers: models.bertLayers(model), subvectorLength: 5 })).toThrow(
      /subvectorLength \(V\) of encoder0\/attention\/query must divide its input length 12/,
    );
  });
});
