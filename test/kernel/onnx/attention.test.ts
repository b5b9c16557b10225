import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { InferenceSession, layers, tf } from "lutnn";
import * as native from "lutnn-native";
import { describe, expect, it } from "vitest";
import { exportOnnx } from "../../../kernel/lib/layers/exportOnnx";
import { type ModelProto, ModelProtoSchema, NodeProtoSchema } from "../../../kernel/lib/onnx/onnx_pb";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { randomFloats } from "../random";
import { withLookups } from "./withLookups";

const L = tf.layers;

/** Of the largest output, between ONNX Runtime's sums and ours: float32 in another order. */
const tolerance = 1e-5;

interface Case {
  length: number;
  positions: number;
  width: number;
  values: number;
  numHeads: number;
  masked: boolean;
}

const cases: Case[] = [
  { length: 7, positions: 5, width: 12, values: 8, numHeads: 2, masked: true },
  { length: 1, positions: 33, width: 8, values: 40, numHeads: 1, masked: false },
  { length: 13, positions: 32, width: 24, values: 24, numHeads: 8, masked: true },
];

/** Looked-up queries that attend to two inputs. */
function network({ length, positions, width, values, numHeads, masked }: Case): tf.LayersModel {
  const input = (name: string, shape: number[]) => tf.input({ shape, name });
  const [x, key, value] = [
    input("x", [length, width]),
    input("key", [positions, width]),
    input("value", [positions, values]),
  ];
  const mask = input("mask", [positions]);
  const query = L.dense({ units: width, name: "looked" }).apply(x) as tf.SymbolicTensor;
  const read = layers.attention({ numHeads, name: "read" });
  const inputs = [x, key, value, ...(masked ? [mask] : [])];
  const outputs = read.apply([query, ...inputs.slice(1)]) as tf.SymbolicTensor;
  return tf.model({ inputs, outputs });
}

function feedsOf({ length, positions, width, values, masked }: Case) {
  const tensor = (seed: number, ...dims: number[]) => ({
    data: randomFloats(2 * dims.reduce((a, b) => a * b), seed),
    dims: [2, ...dims],
  });
  // The second example has a single position, the first all but every third.
  const mask = Float32Array.from({ length: 2 * positions }, (_, i) =>
    i < positions ? Number(i % 3 !== 2) : Number(i === positions),
  );
  return {
    x: tensor(1, length, width),
    key: tensor(2, positions, width),
    value: tensor(3, positions, values),
    ...(masked ? { mask: { data: mask, dims: [2, positions] } } : {}),
  };
}

const fileOf = (one: Case) => exportOnnx(withLookups(network(one), { looked: 4 }));

const operators = (file: Uint8Array) =>
  readModel(file, "test").graph!.node.map(({ domain, opType }) => `${domain}.${opType}`);

async function run(file: Uint8Array, feeds: object, options: object): Promise<Float32Array> {
  const session = await InferenceSession.create(file, options);
  try {
    const outputs = await session.run(feeds as Parameters<typeof session.run>[0]);
    return Object.values(outputs)[0].data as Float32Array;
  } finally {
    await session.release();
  }
}

const edited = (file: Uint8Array, change: (model: ModelProto) => void): Uint8Array => {
  const model = fromBinary(ModelProtoSchema, file);
  change(model);
  return toBinary(ModelProtoSchema, model);
};

describe("attention in a file with lookups", () => {
  it.each(cases)("is one node, which every backend computes: %o", async (one) => {
    const [file, feeds] = [fileOf(one), feedsOf(one)];
    const name = one.masked ? "MaskedAttention" : "Attention";
    expect(operators(file)).toEqual(["ai.lutnn.LutMatMul", `ai.lutnn.${name}`]);
    const wanted = await run(file, feeds, { backend: "onnxruntime", optimize: false });
    const size = Math.max(...wanted.map(Math.abs));
    const expectNear = (got: Float32Array, what: string) => {
      expect(got.length).toBe(wanted.length);
      expect(Math.max(...got.map((y, i) => Math.abs(y - wanted[i]))) / size, what).toBeLessThan(tolerance);
    };
    expectNear(await run(file, feeds, { backend: "onnxruntime" }), "optimised");
    expectNear(await run(file, feeds, { backend: "reference" }), "reference");
    const first = await run(file, feeds, { backend: "native" });
    expectNear(first, "native");
    for (const isa of native.availableIsas())
      for (const threads of [1, 2])
        expect(await run(file, feeds, { backend: "native", isa, threads }), isa).toEqual(first);
  });

  it("stays standard operators without lookups, and where functions are opened", () => {
    const isOurs = (name: string) => name.startsWith("ai.lutnn");
    expect(operators(exportOnnx(network(cases[0]))).filter(isOurs)).toEqual([]);
    const opened = exportOnnx(withLookups(network(cases[0]), { looked: 4 }), { functions: "inlined" });
    expect(operators(opened).filter(isOurs)).toEqual([]);
    expect(operators(opened)).toContain(".Softmax");
  });

  it("refuses heads that do not divide, a mask of other positions and a scale that is computed", async () => {
    const [file, feeds] = [fileOf(cases[0]), feedsOf(cases[0])];
    const heads = edited(file, (model) => {
      model.graph!.node[1].attribute.find(({ name }) => name === "numHeads")!.i = 5n;
    });
    await expect(run(heads, feeds, { backend: "native" })).rejects.toThrow(
      /MaskedAttention "read": query must be batch × length × numbers of 5 heads \(got \?×7×12\)/,
    );
    const none = edited(file, (model) => {
      model.graph!.node[1].attribute.find(({ name }) => name === "numHeads")!.i = 0n;
    });
    await expect(run(none, feeds, { backend: "native" })).rejects.toThrow(
      /numHeads must be at least 1 \(got 0\)/,
    );
    const short = edited(file, (model) => {
      model.graph!.node[1].input[3] = "key"; // more numbers than positions
    });
    await expect(run(short, feeds, { backend: "native" })).rejects.toThrow(
      /mask must have a number for each position of key/,
    );
    const computed = edited(file, (model) => {
      const [, node] = model.graph!.node;
      model.graph!.node.splice(
        1,
        0,
        create(NodeProtoSchema, {
          opType: "ReduceMax",
          input: ["mask"],
          output: ["computed"],
          attribute: [{ name: "keepdims", type: 2, i: 0n }],
        }),
      );
      node.input[4] = "computed";
    });
    await expect(run(computed, feeds, { backend: "native" })).rejects.toThrow(/scale must be a constant/);
  });
});
