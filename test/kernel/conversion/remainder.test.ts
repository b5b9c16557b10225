import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Conversion,
  convert,
  datasets,
  exportOnnx,
  fileInfo,
  InferenceSession,
  inference,
  models,
  openConversion,
  tf,
  fit as train,
} from "lutnn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { denseRemainder } from "../../../kernel/lib/conversion/remainder/denseRemainder";
import { integerRemainder } from "../../../kernel/lib/conversion/remainder/integerRemainder";
import { exportOnnx as bytesOf } from "../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { tinyData, tinyNetwork } from "../network";

const folder = mkdtempSync(join(tmpdir(), "lutnn-remainder-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

const operatorsOf = (path: string) =>
  readModel(readFileSync(path), "test").graph!.node.map(({ domain, opType }) =>
    domain === "" ? opType : `${domain}.${opType}`,
  );

/** Points of accuracy that INT8 may cost a small network on 300 digits, beside chance. */
const mostLost = 1.5;
/** Per cent of answers that must stay. */
const leastAgreement = 98;

describe("what a conversion leaves dense, in INT8", () => {
  let digits: Awaited<ReturnType<typeof datasets.digits>>;
  let conversion: Conversion;

  beforeAll(async () => {
    digits = await datasets.digits();
    const model = models.smallCnn({ inputShape: [8, 8, 1], numClasses: 10, width: 16 });
    await train(model, digits.train, { epochs: 4, learningRate: 1e-2 });
    conversion = convert(model, { layers: [convert(model).layers.names[1]] });
    await conversion.calibrate(digits.train.take(400));
    await conversion.replaceAll();
    await conversion.evaluate(digits.test.take(100));
  }, 120_000);

  async function accuracyOf(path: string): Promise<number> {
    const session = await InferenceSession.create(path);
    try {
      return (await session.evaluate(digits.test.take(300))).accuracy;
    } finally {
      await session.release();
    }
  }

  it("makes a smaller file with nearly the same answers, and tells of it", async () => {
    await conversion.save(at("float.onnx"));
    const { sentence, warnings } = await conversion.save(at("int8.onnx"), { remainder: "int8" });
    expect(sentence).toMatch(
      /dense layers in INT8 \([\d,]+ bytes, [\d,]+ in float32\), ranges from 128 examples of optdigits; on 256 others [\d.]+ % of answers are as with float32 and outputs move by [\d.]+ % of their deviation.*, checked in ONNX Runtime on 4 examples of the data/,
    );
    expect(warnings).toEqual([]);
    const { remainder, ...info } = await fileInfo(at("int8.onnx"));
    expect(info.lookups).toBe("local");
    expect(remainder!.layers.length).toBeGreaterThan(0);
    expect(remainder!.float32Bytes / remainder!.bytes).toBeGreaterThan(3);
    expect(remainder).toMatchObject({ kind: "int8", data: "optdigits", examples: 128 });
    expect(remainder!.effect).toMatchObject({ examples: 256, apart: true });
    expect(remainder!.effect.agreement).toBeGreaterThan(leastAgreement);
    expect(String(await fileInfo(at("int8.onnx")))).toContain(
      sentence.split(", checked")[0].split("replaced, ")[1],
    );
    // What was measured is the network.
    expect((await fileInfo(at("int8.onnx"))).sentence).toMatch(
      /on 100 examples of optdigits, all that is dense in float32;/,
    );
    expect((await fileInfo(at("float.onnx"))).sentence).not.toContain("float32");
    expect((await fileInfo(at("float.onnx"))).remainder).toBeNull();
    expect(operatorsOf(at("int8.onnx")).join()).toMatch(/ai\.lutnn\.Dense(Conv|MatMul)Integer/);
    expect(operatorsOf(at("float.onnx")).join()).not.toContain("Dense");
    expect(Math.abs((await accuracyOf(at("int8.onnx"))) - (await accuracyOf(at("float.onnx"))))).toBeLessThan(
      mostLost,
    );
  });

  it("is said for files alone: the network, its other files and what is opened again stay as they were", async () => {
    const before = conversion.model;
    await conversion.save(at("again.onnx"), { remainder: "float32" });
    await conversion.save(at("work.onnx"), { remainder: "int8", reopen: true });
    await conversion.save(at("third.onnx"));
    expect(conversion.model).toBe(before);
    expect(readFileSync(at("third.onnx")).equals(readFileSync(at("float.onnx")))).toBe(true);
    expect(readFileSync(at("again.onnx")).equals(readFileSync(at("float.onnx")))).toBe(true);
    const opened = await openConversion(at("work.onnx"));
    await expect(opened.save(at("opened.onnx"), { remainder: "int8" })).rejects.toThrow(
      /^save: a remainder in INT8 must have real examples to choose ranges by \(none are known here\); pass them as \{ examples \}$/,
    );
    await opened.save(at("opened.onnx"));
    expect(operatorsOf(at("opened.onnx"))).toEqual(operatorsOf(at("float.onnx")));
  });

  it("leaves no tensor behind", async () => {
    await conversion.save(at("once.onnx"), { remainder: "int8" });
    const { numTensors } = tf.memory();
    await conversion.save(at("once.onnx"), { remainder: "int8" });
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

describe("a network in INT8", () => {
  const model = tinyNetwork();

  it("is written by exportOnnx from examples alone, and runs natively, by functions, inlined and by the reference", async () => {
    const path = at("tiny.onnx");
    const data = tinyData(20);
    const results: number[][] = [];
    const backends = ["native", "onnxruntime", "reference"] as const;
    for (const functions of ["local", "inlined"] as const) {
      const { sentence, warnings } = await exportOnnx(model, path, {
        remainder: "int8",
        examples: data,
        functions,
      });
      expect(sentence).toMatch(
        /1 dense layer in INT8 .* ranges from 20 examples of tiny; on 20 of them outputs move/,
      );
      expect(sentence).toMatch(/left in float32: c1, c3, c4 and 2 more \(too small to gain\), checked/);
      expect(warnings).toEqual(["ranges of 20 examples may miss what others hold; give 64 or more"]);
      for (const backend of functions === "local" ? backends : backends.slice(1)) {
        const session = await InferenceSession.create(path, { backend, optimize: false });
        const dims = [2, 2, 6, 6];
        const x = { data: Float32Array.from({ length: 144 }, (_, i) => Math.sin(i)), dims };
        results.push([...(await session.run({ input: x })).output.data]);
        await session.release();
      }
    }
    for (const one of results) expect(one).toEqual(results[0]);
    expect((await fileInfo(path)).lookups).toBe("none");
  });

  it("takes the examples that a file is checked on, and refuses what makes no sense", async () => {
    const path = at("wrong.onnx");
    const data = tinyData(70);
    for (const remainder of ["int8", "float32"] as const) {
      const { sentence } = await exportOnnx(model, at("data.onnx"), { remainder, examples: data });
      expect(sentence).toContain("checked in ONNX Runtime on 4 examples of the data");
    }
    await expect(exportOnnx(model, path, { remainder: "int8" })).rejects.toThrow(
      /pass them as \{ examples \}/,
    );
    await expect(convert(model).save(path, { examples: data })).rejects.toThrow(
      /^save: examples are for a remainder in INT8 \(got some, and remainder is "float32"\)/,
    );
    for (const remainder of ["int4", null, true])
      await expect(exportOnnx(model, path, { remainder: remainder as "int8" })).rejects.toThrow(
        /^save: remainder must be "float32" or "int8" \(got .*\); leave it out for "float32"$/,
      );
    const others = new datasets.Dataset({
      name: "others",
      inputShape: [5, 5, 2],
      numClasses: 3,
      images: new Float32Array(100),
      labels: new Int32Array(2),
    });
    await expect(
      exportOnnx(model, path, { remainder: "int8", examples: others, check: false }),
    ).rejects.toThrow(/^save: the data must have examples of 6×6×2/);
    expect(existsSync(path)).toBe(false);
  });

  it("is not written when its file would compute something else", async () => {
    const inputs = [tf.tensor(tinyData(3).images, [3, 6, 6, 2])];
    const options = { what: "test", data: tinyData(64), task: null, signal: new AbortController().signal };
    const made = await integerRemainder(new NetworkGraph(model), options, 0);
    const graph = new NetworkGraph(model, made.layerOf);
    const right = bytesOf(graph);
    expect((await inference.checkFile(right, graph, inputs)).ok).toBe(true);
    // The same file for another network: of float32 layers, and of one scale that is wrong.
    expect((await inference.checkFile(right, model, inputs)).ok).toBe(false);
    const { scale } = made.layerOf(graph.nodes.find(({ key }) => key === "hidden")!) as unknown as {
      scale: Float32Array;
    };
    scale[2] *= 1.01;
    const { ok, differs } = await inference.checkFile(right, graph, inputs);
    expect(ok).toBe(false);
    expect(differs).not.toBeNull();
    made.dispose();
    tf.dispose(inputs);
  });

  it("folds batch norms, and has the same bytes for all readers of a value", async () => {
    const options = { what: "test", data: tinyData(64), task: null, signal: new AbortController().signal };
    const made = await integerRemainder(new NetworkGraph(model), options, 0);
    const file = readModel(bytesOf(new NetworkGraph(model, made.layerOf)), "test");
    made.dispose();
    const ours = file.graph!.node.filter(({ domain }) => domain === "ai.lutnn");
    expect(ours.map(({ opType }) => opType)).toEqual([
      "DenseConvIntegerReluWithBytes",
      "DenseConvIntegerOfBytesAddToBytes",
      "DenseConvIntegerOfBytesReluToBytes",
      "DenseConvIntegerOfBytes",
      "DenseMatMulIntegerReluToBytes",
      "DenseMatMulIntegerOfBytes",
    ]);
    const zeroPoints = file.graph!.initializer.filter(({ name }) => name.endsWith("inputZeroPoint"));
    // Behind a ReLU bytes begin at 0; images and sums are of both signs.
    const byLayer = Object.fromEntries(
      zeroPoints.map(({ name, rawData }) => [name.split("/")[0], rawData[0]]),
    );
    expect(byLayer).toMatchObject({ c2: 0, c4: 0, logits: 0 });
    for (const name of ["c1", "c3", "hidden"]) expect(byLayer[name]).toBeGreaterThan(0);
  });

  it("names what has no such form, could pass int32 or is too small", () => {
    const L = tf.layers;
    const sequential = tf.sequential({
      layers: [
        L.depthwiseConv2d({ kernelSize: 3, padding: "same", inputShape: [64, 64, 17], name: "depthwise" }),
        L.flatten(),
        L.dense({ units: 1, name: "long" }),
        L.dense({ units: 4, name: "small" }),
      ],
    });
    const { calls, left } = denseRemainder(new NetworkGraph(sequential));
    expect(calls.size).toBe(0);
    expect(Object.fromEntries(left)).toEqual({
      depthwise: "no INT8 form of DepthwiseConv2D",
      long: "sums of 69,632 products could pass int32",
      small: "too small to gain",
    });
    sequential.dispose();
  });
});
