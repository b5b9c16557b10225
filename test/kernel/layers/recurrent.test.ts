import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { randomFloats } from "../random";

const { tf } = lutnn;
const L = tf.layers;
const folder = mkdtempSync(join(tmpdir(), "lutnn-recurrent-"));
afterAll(() => rmSync(folder, { recursive: true }));

type Symbolic = lutnn.tf.SymbolicTensor;
const after = (layer: lutnn.tf.layers.Layer, mask = false) => {
  const input = tf.input({ shape: [5, 3] });
  const x = mask ? (L.masking({}).apply(input) as Symbolic) : input;
  const y = layer.apply(L.dense({ units: 6, name: "hidden" }).apply(x)) as Symbolic | Symbolic[];
  const last = (Array.isArray(y) ? y[0] : y) as Symbolic;
  return tf.model({ inputs: input, outputs: L.dense({ units: 2 }).apply(last) as Symbolic });
};

describe("recurrent layers", () => {
  it.each([
    [
      "stateful",
      L.lstm({ units: 4, name: "memory", returnState: true }),
      false,
      /memory \(LSTM\): returnState must be false/,
    ],
    [
      "of an activation that ONNX lacks",
      L.gru({ units: 4, name: "memory", activation: "swish" as never }),
      false,
      /memory \(GRU\): activation must be one of elu, .* \(got "swish"\)/,
    ],
    [
      "all states backwards",
      L.simpleRNN({ units: 4, name: "memory", goBackwards: true, returnSequences: true }),
      false,
      /memory \(SimpleRNN\): goBackwards must be false where returnSequences is true/,
    ],
    [
      "handed a mask",
      L.lstm({ units: 4, name: "memory" }),
      true,
      /memory \(LSTM\): the network must have no mask .*; leave the mask out/,
    ],
  ] as const)("are refused by convert: %s", (_, layer, mask, message) => {
    const model = after(layer, mask);
    expect(() => lutnn.convert(model)).toThrow(lutnn.LutnnError);
    expect(() => lutnn.convert(model)).toThrow(message);
    expect(lutnn.convert(model, { exportable: false }).layers.names).toEqual(["hidden"]);
  });

  it("are refused with a state of their own to begin with", () => {
    const input = tf.input({ shape: [5, 3] });
    const state = tf.input({ shape: [4] });
    const hidden = L.dense({ units: 6, name: "hidden" }).apply(input) as Symbolic;
    const y = L.simpleRNN({ units: 4, name: "memory" }).apply([hidden, state]) as Symbolic;
    const model = tf.model({ inputs: [input, state], outputs: L.dense({ units: 2 }).apply(y) as Symbolic });
    expect(() => lutnn.convert(model)).toThrow(
      /memory \(SimpleRNN\): initialState must be left out \(got 2 inputs\)/,
    );
  });

  it("stand in networks that are trained, converted, saved, stored and opened", async () => {
    const size = 96;
    const labels = Int32Array.from({ length: size }, (_, i) => i % 2);
    // Rising or falling sequences under noise.
    const values = randomFloats(size * 15, 3).map((noise, i) => {
      const step = Math.floor((i % 15) / 3) / 4 - 0.5;
      return 0.3 * noise + (labels[Math.floor(i / 15)] ? step : -step);
    });
    const data = new lutnn.datasets.ArrayExamples({
      name: "slopes",
      inputs: { x: { shape: [5, 3], values } },
      target: { kind: "class", classes: 2 },
      targets: labels,
    });
    const input = tf.input({ shape: [5, 3] });
    const seeded = (seed: number) => ({ kernelInitializer: tf.initializers.glorotNormal({ seed }) });
    const rows = L.dense({ units: 16, activation: "relu", name: "hidden", ...seeded(1) }).apply(input);
    const recurrentInitializer = tf.initializers.glorotNormal({ seed: 2 }) as never;
    const all = L.gru({ units: 8, returnSequences: true, recurrentInitializer, ...seeded(3) }).apply(rows);
    const last = L.lstm({ units: 8, recurrentInitializer, ...seeded(4) }).apply(all);
    const outputs = L.dense({ units: 2, activation: "softmax", ...seeded(5) }).apply(last) as Symbolic;
    const model = tf.model({ inputs: input, outputs });
    await lutnn.fit(model, data, { epochs: 25, learningRate: 0.02 });
    const conversion = lutnn.convert(model, { subvectorLength: { hidden: 3 } });
    await conversion.calibrate(data);
    await conversion.replaceAll();
    await conversion.fineTune(data, { epochs: 2 });
    expect((await conversion.evaluate(data)).accuracy).toBeGreaterThan(90);
    const file = join(folder, "slopes.onnx");
    expect(String(await conversion.save(file))).toMatch(/1 of 1 layer replaced, checked in ONNX Runtime/);
    await conversion.store(join(folder, "work"));
    const opened = await lutnn.openConversion(join(folder, "work"));
    const given = (one: lutnn.tf.LayersModel) =>
      tf.tidy(() => [...(one.predict(tf.tensor3d(values, [size, 5, 3])) as lutnn.tf.Tensor).dataSync()]);
    expect(given(opened.model)).toEqual(given(conversion.model));
    const session = await lutnn.InferenceSession.create(file);
    expect((await session.evaluate(data)).accuracy).toBeGreaterThan(90);
    await session.release();
    await conversion.restoreAll();
    expect(given(conversion.model)).toEqual(given(model));
  });
});
