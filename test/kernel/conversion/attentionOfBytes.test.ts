import { datasets, InferenceSession, inference, models, tf } from "lutnn";
import * as native from "lutnn-native";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { denseRemainder } from "../../../kernel/lib/conversion/remainder/denseRemainder";
import {
  type IntegerRemainder,
  integerRemainder,
} from "../../../kernel/lib/conversion/remainder/integerRemainder";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { NetworkGraph } from "../../../kernel/lib/layers/graph";
import type { IntegerAttention } from "../../../kernel/lib/layers/integerAttention";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { randomFloats } from "../random";

const [vocabularySize, sequenceLength, size] = [50, 9, 80];
const { signal } = new AbortController();

/** Sentences of 1 to all positions, the rest padding. */
function sentences(): datasets.ArrayExamples {
  const length = size * sequenceLength;
  const lengthOf = (i: number) => 1 + ((5 * i) % sequenceLength);
  const array = (of: (sentence: number, position: number) => number) => ({
    shape: [sequenceLength],
    values: Int32Array.from({ length }, (_, i) => of(Math.floor(i / sequenceLength), i % sequenceLength)),
  });
  return new datasets.ArrayExamples({
    name: "sentences",
    inputs: {
      tokens: array((i, p) => (p < lengthOf(i) ? 1 + ((7 * i + 11 * p * p) % (vocabularySize - 1)) : 0)),
      segments: array((i, p) => (i + p) % 2),
      mask: array((i, p) => Number(p < lengthOf(i))),
    },
    target: { kind: "class", classes: 2 },
    targets: new Int32Array(size),
  });
}

const operators = (file: Uint8Array) =>
  readModel(file, "test")
    .graph!.node.filter(({ opType, domain }) => domain === "ai.lutnn" || opType === "QuantizeLinear")
    .map(({ opType }) => opType);

describe("attention of what stays dense, in INT8", () => {
  const data = sentences();
  const model = models.bert({ vocabularySize, sequenceLength, depth: 2, width: 24, numHeads: 3, outputs: 2 });
  let made: IntegerRemainder;
  let graph: NetworkGraph;
  let file: Uint8Array;
  const inputs: tf.Tensor[] = [];

  beforeAll(async () => {
    made = await integerRemainder(new NetworkGraph(model), { what: "test", data, task: null, signal }, 0);
    graph = new NetworkGraph(model, made.layerOf);
    file = exportOnnx(graph);
    for await (const batch of data.batches(7, { signal })) {
      inputs.push(...graph.inputs.map(({ name }) => batch.inputs[name]));
      break;
    }
  });
  afterAll(() => {
    made.dispose();
    tf.dispose(inputs);
  });

  const feeds = () =>
    Object.fromEntries(
      graph.inputs.map(({ name }, i) => [
        name,
        { data: inputs[i].dataSync() as Int32Array, dims: inputs[i].shape },
      ]),
    );
  async function run(bytes: Uint8Array, options: object): Promise<number[]> {
    const session = await InferenceSession.create(bytes, options);
    try {
      return [...Object.values(await session.run(feeds()))[0].data].map(Number);
    } finally {
      await session.release();
    }
  }
  const twinOf = (key: string) =>
    made.layerOf(graph.nodes.find((node) => node.key === key)!) as unknown as IntegerAttention;
  const attentions = () => graph.nodes.filter(({ layer }) => layer.getClassName() === "IntegerAttention");

  it("reads the bytes of query, key and value from those that make them", () => {
    const all = operators(file);
    expect(all.filter((name) => name === "QuantizeLinear")).toEqual([]);
    expect(all.filter((name) => /Attention/.test(name))).toEqual(Array(2).fill("MaskedAttentionOfBytes"));
    expect(all.slice(0, 6)).toEqual([
      "LayerNormWithBytes",
      ...Array(3).fill("DenseMatMulIntegerOfBytesToBytes"),
      "MaskedAttentionOfBytes",
      "DenseMatMulIntegerAdd",
    ]);
    expect(made.report.attention).toEqual(attentions().map(({ name }) => name));
  });

  it("gives the same bits on every instruction set, and nearly the same by standard operators", async () => {
    const first = await run(file, { backend: "native" });
    for (const isa of native.availableIsas())
      for (const threads of [1, 2])
        expect(await run(file, { backend: "native", isa, threads }), isa).toEqual(first);
    const inlined = exportOnnx(graph, { functions: "inlined" });
    expect(operators(inlined).filter((name) => name !== "QuantizeLinear")).toEqual([]);
    const size = Math.max(...first.map(Math.abs));
    const others = [
      await run(file, { backend: "onnxruntime" }),
      await run(file, { backend: "reference" }),
      await run(inlined, { backend: "onnxruntime", optimize: false }),
    ];
    // A byte of a share or of a later layer may go the other way where exponentials differ in their last bits.
    for (const other of others)
      expect(Math.max(...other.map((y, i) => Math.abs(y - first[i])))).toBeLessThan(0.02 * size);
  });

  it("is near to attention in float32", () => {
    const before = tf.memory().numTensors;
    for (const node of attentions()) {
      const { attention, scales } = twinOf(node.key) as unknown as {
        attention: tf.layers.Layer;
        scales: { query: number; key: number; value: number };
      };
      const [query, key, value] = ["query", "key", "value"].map((name, seed) => {
        const steps = randomFloats(2 * sequenceLength * 24, seed).map((x) => 60 * x);
        return tf.tensor3d(
          steps.map((x) => x * scales[name as keyof typeof scales]),
          [2, sequenceLength, 24],
        );
      });
      const mask = tf.tensor2d(
        [...Array(2 * sequenceLength).keys()].map((i) => Number(i % 4 !== 3)),
        [2, sequenceLength],
      );
      const all = [query, key, value, mask];
      const [exact, moved] = [attention, twinOf(node.key)].map((layer) => layer.call(all, {}) as tf.Tensor);
      const difference = tf.tidy(() => tf.div(tf.norm(tf.sub(exact, moved)), tf.norm(exact)).dataSync()[0]);
      expect(difference).toBeGreaterThan(0);
      expect(difference).toBeLessThan(0.03);
      tf.dispose([...all, exact, moved]);
    }
    expect(tf.memory().numTensors).toBe(before);
  });

  it("is checked at the door", async () => {
    const right = await inference.checkFile(file, graph, inputs);
    expect(right.sentence).toMatch(/^the file equals the network/);
    expect(right.ok).toBe(true);
    expect((await inference.checkFile(file, model, inputs)).ok).toBe(false);
    const twin = twinOf(attentions()[1].key);
    const call = twin.call.bind(twin);
    // A little more than rounding and a byte of those shares that are next to a half.
    twin.call = (x) => tf.tidy(() => tf.mul(call(x), 1.002));
    const wrong = await inference.checkFile(file, graph, inputs);
    twin.call = call;
    expect(wrong.ok).toBe(false);
    expect(wrong.sentence).toContain(attentions()[1].key);
  });

  it("stays in float32 where it is too small to gain, and says so", () => {
    const { calls, left } = denseRemainder(new NetworkGraph(model));
    expect([...calls].some(({ layer }) => layer.getClassName() === "Attention")).toBe(false);
    for (const { name } of attentions()) expect(left.get(name)).toBe("too small to gain");
  });
});
