import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { convert, fromLayersModel, openConversion, tf } from "lutnn";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "lutnn-order-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Tensor = tf.SymbolicTensor;
const dense = (units: number, name: string) =>
  tf.layers.dense({
    units,
    name,
    kernelInitializer: tf.initializers.randomUniform({ minval: -1, maxval: 1 }),
  });

/** A network of `shared` on another layer's output first and on the input then; `made` says which is read first behind it. */
function twice(first: "deep" | "flat", inner: boolean): tf.LayersModel {
  const input = tf.input({ shape: [4], name: "x" });
  const widened = dense(4, "widened").apply(input) as Tensor;
  const place = tf.input({ shape: [4], name: "inside" });
  const shared = inner
    ? tf.model({ inputs: place, outputs: dense(4, "within").apply(place) as Tensor, name: "shared" })
    : dense(4, "shared");
  const deep = shared.apply(widened) as Tensor;
  // As far from the end as the layer before the other call: which of the two TensorFlow.js writes first is chance.
  const flat = dense(4, "longer").apply(shared.apply(input)) as Tensor;
  const [left, right] = first === "deep" ? [deep, flat] : [flat, deep];
  const both = tf.layers
    .concatenate()
    .apply([dense(3, "left").apply(left) as Tensor, dense(3, "right").apply(right) as Tensor]) as Tensor;
  return tf.model({ inputs: input, outputs: dense(2, "head").apply(both) as Tensor });
}

const outputs = (model: tf.LayersModel) =>
  tf.tidy(() => [...(model.predict(tf.linspace(-1, 1, 12).reshape([3, 4])) as tf.Tensor).dataSync()]);

it.each([
  ["deep", false],
  ["flat", false],
  ["deep", true],
  ["flat", true],
] as const)(
  "a layer that is used again keeps its calls apart when it is stored: %s first, nested %s",
  async (first, inner) => {
    const model = twice(first, inner);
    const conversion = convert(model, {
      layers: ["widened"],
      subvectorLength: { widened: 2 },
      task: "regression",
    });
    const path = join(folder, `${first}${inner}`);
    await conversion.store(path);
    const opened = await openConversion(path, { task: "regression" });
    expect(outputs(opened.model)).toEqual(outputs(model));
    await model.save(`file://${path}.tfjs`);
    expect(outputs(await fromLayersModel(`${path}.tfjs`))).toEqual(outputs(model));
  },
);
