import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { datasets, InferenceSession, models, openConversion, tf, fit as train } from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeNpy } from "../../../kernel/lib/files/npy";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";

const root = resolve(import.meta.dirname, "../../..");
const folder = mkdtempSync(join(tmpdir(), "lutnn convert "));
afterAll(() => rmSync(folder, { recursive: true }));

const convert = (...words: string[]) =>
  spawnSync(process.execPath, [join(root, "kernel/bin/lutnn.js"), "convert", ...words], {
    encoding: "utf8",
    cwd: folder,
  });

beforeAll(async () => {
  const digits = await datasets.digits();
  const model = models.smallCnn({ inputShape: [8, 8, 1], numClasses: 10, width: 8 });
  await train(model, digits.train, { epochs: 4, learningRate: 1e-2 });
  await model.save(`file://${join(folder, "digits")}`);
  writeFileSync(join(folder, "digits.onnx"), exportOnnx(model));

  // y = the sum of two of four numbers, learnt by three dense layers.
  const lines = tf.sequential({
    layers: [
      tf.layers.dense({ units: 16, activation: "relu", inputShape: [4] }),
      tf.layers.dense({ units: 16, activation: "relu" }),
      tf.layers.dense({ units: 1 }),
    ],
  });
  await lines.save(`file://${join(folder, "lines")}`);
  const x = tf.randomUniform([200, 4], -1, 1, "float32", 1);
  const y = x.slice([0, 0], [200, 2]).sum(1);
  const save = (name: string, array: tf.Tensor) =>
    writeFileSync(
      join(folder, name),
      writeNpy({ type: "f4", shape: array.shape, values: array.dataSync() as Float32Array }),
    );
  save("x.npy", x);
  save("y.npy", y);
  save("short.npy", y.slice(0, 100));
});

describe("lutnn convert", () => {
  it.each([
    ["digits", "float32", ""],
    ["digits.onnx", "int8", "1 dense layer in INT8 .* ranges from 128 examples of optdigits; .*, "],
  ])(
    "takes %s by a data set's name the whole way, what stays dense in %s",
    { timeout: 180_000 },
    async (network, remainder, told) => {
      const words = ["--data", "digits", "--output", "made.onnx", "--store", "work", "--examples", "300"];
      rmSync(join(folder, "work"), { recursive: true, force: true });
      const { status, stdout, stderr } = convert(
        network,
        ...words,
        "--epochs",
        "1",
        "--layers",
        "conv2,conv5",
        "--remainder",
        remainder,
      );
      expect([status, stderr]).toEqual([0, ""]);
      expect(stdout).toMatch(/layers that can be replaced .*\n.*\n.*\nconv2 .*\nconv5 /);
      const said = ["dense", "replaced", "fine-tuned"].map((name) => {
        const [, value, off] = new RegExp(
          `^${name}: accuracy ([\\d.]+) % \\(± ([\\d.]+) %\\) on 360 examples$`,
          "m",
        ).exec(stdout)!;
        return { value: Number(value), noise: Number(off) };
      });
      expect(Math.min(...said.map(({ value }) => value))).toBeGreaterThan(50);
      expect(stdout).toMatch(
        new RegExp(`saved made.onnx: .* 2 of 2 layers replaced, ${told}checked in ONNX Runtime`),
      );
      const { test } = await datasets.digits();
      const session = await InferenceSession.create(join(folder, "made.onnx"));
      const { value, noise } = said[2];
      // INT8 moves what stays dense, and a few of 360 answers with it; float32 one at a near tie.
      const reach = remainder === "int8" ? 2 * noise : 0.5;
      expect(Math.abs((await session.evaluate(test)).accuracy - value)).toBeLessThan(reach);
      await session.release();
      const conversion = await openConversion(join(folder, "work"));
      expect([...conversion.layers].map(({ state }) => state)).toEqual(["replaced", "replaced"]);
    },
  );

  it("takes arrays of NumPy's, and only calibrates with 0 epochs", () => {
    const words = ["--data", "x.npy", "--targets", "y.npy", "--output", "lines.onnx", "--epochs", "0"];
    const { status, stdout, stderr } = convert("lines", ...words, "--examples", "100");
    expect([status, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^dense: \S.* on 40 examples\nreplaced: \S.* on 40 examples\nsaved lines.onnx/m);
    expect(existsSync(join(folder, "lines.onnx"))).toBe(true);
  });

  it.each<[string[], string]>([
    [["none.onnx", "--data", "digits", "-o", "y.onnx"], "the network none.onnx must exist (it does not)"],
    [["lines", "--data", "nothing", "-o", "y.onnx"], "--data must be one of cifar-10, diabetes, digits, "],
    [
      ["lines", "--data", "x.npy", "-o", "y.onnx"],
      "--targets must name the array of what is to be learnt of x.npy",
    ],
    [
      ["lines", "--data", "x.npy", "--targets", "short.npy", "-o", "y.onnx"],
      "must have as many examples (got 200 and 100)",
    ],
    [
      ["lines", "--data", "x.npy", "--targets", "y.npy", "-o", "y.txt"],
      "--output must end in .onnx (got y.txt)",
    ],
    [
      ["lines", "--data", "x.npy", "--targets", "y.npy", "-o", "y.onnx", "--epochs", "1.5"],
      "--epochs must be a whole number from 0 (got 1.5)",
    ],
    [
      ["lines", "--data", "x.npy", "--targets", "y.npy", "-o", "y.onnx", "--test-share", "1"],
      "--test-share must be a number above 0 and below 1 (got 1)",
    ],
    [
      ["lines", "--data", "x.npy", "--targets", "y.npy", "-o", "y.onnx", "--profile", "best"],
      "--profile must be plus or paper (got best)",
    ],
    [
      ["lines", "--data", "x.npy", "--targets", "y.npy", "-o", "y.onnx", "--remainder", "int4"],
      "--remainder must be float32 or int8 (got int4)",
    ],
  ])("says in one line what is wrong, and ends with 2: %j", (words, sentence) => {
    const { status, stdout, stderr } = convert(...words);
    expect(stderr).toContain(sentence);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect([status, stdout]).toEqual([2, ""]);
  });
});
