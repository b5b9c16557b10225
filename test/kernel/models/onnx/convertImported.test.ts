import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as lutnn from "lutnn";
import { convert, datasets, fromOnnx, InferenceSession, openConversion, tf } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { exportOnnx } from "../../../../kernel/lib/layers/exportOnnx";
import { randomFloats } from "../../random";
import { writeCases } from "./writeCases";

const folder = mkdtempSync(join(tmpdir(), "lutnn-imported-"));
afterAll(() => rmSync(folder, { recursive: true }));
writeCases(folder);

/** Images whose class is which of their quarters is brightest. */
function quarters(size: number, seed: number): datasets.Dataset {
  const images = randomFloats(size * 8 * 8 * 3, seed);
  const labels = Int32Array.from({ length: size }, (_, n) => n % 4);
  labels.forEach((quarter, n) => {
    for (let i = 0; i < 4; i++)
      for (let j = 0; j < 4; j++)
        for (let c = 0; c < 3; c++)
          images[((n * 8 + i + 4 * (quarter >> 1)) * 8 + j + 4 * (quarter & 1)) * 3 + c] += 1;
  });
  return new datasets.Dataset({ name: "quarters", inputShape: [8, 8, 3], numClasses: 4, images, labels });
}

describe("a network that came from an ONNX file", () => {
  it("is converted, calibrated, fine-tuned, saved, run, stored and opened as any other", async () => {
    const network = await fromOnnx(join(folder, "mobile.onnx"));
    const [train, test] = [quarters(96, 1), quarters(40, 2)];
    await lutnn.fit(network, train, { epochs: 12 });

    const conversion = convert(network);
    expect(conversion.layers.names).toContain("features.1.conv");
    expect(conversion.layers.names).not.toContain("features.1.se.fc1");
    await conversion.calibrate(train);
    await conversion.replaceAll();
    await conversion.fineTune(train, { epochs: 3 });
    const score = await conversion.evaluate(test);
    expect(score.metric.value).toBeGreaterThan(0.8);

    const path = join(folder, "mobile.lut.onnx");
    expect((await conversion.save(path)).sentence).toMatch(/layers replaced, checked in ONNX Runtime/);
    const session = await InferenceSession.create(path);
    expect((await session.evaluate(test)).metric.value).toBeGreaterThan(0.8);
    await session.release();

    await conversion.store(join(folder, "stored"));
    const opened = await openConversion(join(folder, "stored"));
    const images = tf.tensor(randomFloats(3 * 192, 5), [3, 8, 8, 3]);
    const [a, b] = [conversion.model, opened.model].map((model) => model.predict(images) as tf.Tensor);
    expect([...b.dataSync()]).toEqual([...a.dataSync()]);
    await expect(fromOnnx(path)).rejects.toThrow(/must be dense \(got a lookup\)/);
  });

  it("keeps its numbers through tf.js' own files", async () => {
    const network = await fromOnnx(join(folder, "mobile.onnx"));
    const where = join(folder, "tfjs");
    await network.save(`file://${where}`);
    const loaded = await tf.loadLayersModel(`file://${where}/model.json`);
    const images = tf.tensor(randomFloats(4 * 192, 3), [4, 8, 8, 3]);
    const [a, b] = [network, loaded].map((model) => (model.predict(images) as tf.Tensor).dataSync());
    expect([...b]).toEqual([...a]);
    expect(exportOnnx(loaded).length).toBeGreaterThan(1000);
  });
});
