import { ArrayExamples } from "./arrayExamples";
import { embeddedRows } from "./embedded";

const measurements = {
  path: "diabetes/diabetes_data_raw.csv.gz",
  sha256: "7fc0ded571454b1982210d3bb43f0aca44eae01a0b8654a3b24022bdb6b38009",
  unpacked: 19_596,
};
const progression = {
  path: "diabetes/diabetes_target.csv.gz",
  sha256: "8e53f65eb811df43c206f3534bb3af0e5fed213bc37ed6ba36310157d6023803",
  unpacked: 11_050,
};
const features = 10;
const trainSize = 354;

/**
 * Ten measurements of 442 patients with diabetes, and a number that says how far the disease had progressed a year later
 * (Efron et al., 2004; `data/diabetes/NOTICE.md`), embedded in the package: input `measurements` float32 (10) (age, sex,
 * body mass index, blood pressure, six of blood serum), target a number from 25 to 346. Each measurement minus its mean
 * over its standard deviation, both of the training examples. 354 train and 88 test examples, the same for everyone.
 */
export async function diabetes(): Promise<{ train: ArrayExamples; test: ArrayExamples }> {
  const rows = await embeddedRows("diabetes", measurements, " ");
  const targets = await embeddedRows("diabetes", progression, " ");
  const all = new ArrayExamples({
    name: "diabetes",
    inputs: { measurements: { shape: [features], values: Float32Array.from(rows.flat()) } },
    target: { kind: "values", length: 1 },
    targets: Float32Array.from(targets.flat()),
  });
  const parts = all.split(trainSize, 1);
  const { mean, deviation } = momentsOf(parts[0].arrays.inputs.measurements.values);
  const [train, test] = parts.map(({ arrays }) => {
    const { shape, values } = arrays.inputs.measurements;
    const scaled = Float32Array.from(
      values,
      (value, i) => (value - mean[i % features]) / deviation[i % features],
    );
    return new ArrayExamples({ ...arrays, inputs: { measurements: { shape, values: scaled } } });
  });
  return { train, test };
}

/** Mean and standard deviation of each feature over rows float (N, features). */
function momentsOf(values: ArrayLike<number>): { mean: number[]; deviation: number[] } {
  const columns = Array.from({ length: features }, (_, feature) =>
    Array.from(values).filter((_, i) => i % features === feature),
  );
  const average = (numbers: number[]) => numbers.reduce((sum, number) => sum + number / numbers.length, 0);
  const mean = columns.map(average);
  const deviation = columns.map((column, i) =>
    Math.sqrt(average(column.map((number) => (number - mean[i]) ** 2))),
  );
  return { mean, deviation };
}
