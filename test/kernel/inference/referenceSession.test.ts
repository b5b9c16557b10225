import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { InferenceSession } from "lutnn";
import { describe, expect, it } from "vitest";
import { node } from "../../../kernel/lib/onnx/builder";
import { GraphBuilder } from "../../../kernel/lib/onnx/graphBuilder";
import { modelBytes } from "../../../kernel/lib/onnx/model";
import {
  AttributeProtoSchema,
  FunctionProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  TensorProtoSchema,
} from "../../../kernel/lib/onnx/onnx_pb";
import {
  addLookup,
  drawConv,
  drawFrom,
  drawMatMul,
  inIntegers,
  lookupFile,
  outputShape,
  plainValue,
} from "./lookupFile";

const sizeOf = (dims: readonly number[]) => dims.reduce((product, length) => product * length, 1);
const drawn = (seed: number) => {
  const draw = drawFrom(seed);
  return (dims: number[]) => ({ data: Float32Array.from({ length: sizeOf(dims) }, () => draw(-4, 4)), dims });
};

type Feeds = Parameters<InferenceSession["run"]>[0];

async function runIn(file: Uint8Array, feeds: Feeds, backend: "reference" | "onnxruntime" | "native") {
  const session = await InferenceSession.create(file, { backend });
  try {
    return await session.run(feeds);
  } finally {
    await session.release();
  }
}

/** The bytes of a file after a change. */
function edited(file: Uint8Array, change: (model: ModelProto) => void): Uint8Array {
  const model = fromBinary(ModelProtoSchema, file);
  change(model);
  return toBinary(ModelProtoSchema, model);
}

describe("the reference backend", () => {
  it.each([1, 2, 3])("gives the codes and sums of the functions, bit for bit (%i)", async (seed) => {
    const draw = drawFrom(seed * 6007);
    const whole = drawn(seed);
    for (const suffix of ["", "Relu", "Add", "AddRelu"])
      for (const make of [drawConv, drawMatMul])
        for (const layer of [make(draw), inIntegers(make(draw))]) {
          const variant = { ...layer, spec: { ...layer.spec, operator: `${layer.spec.operator}${suffix}` } };
          const x = whole([draw(1, 2), ...layer.shape]);
          const residual = whole([x.dims[0], ...outputShape(layer.spec, layer.shape)]);
          const feeds: Feeds = suffix.includes("Add") ? { x, residual } : { x };
          const file = lookupFile(variant, draw);
          const { y } = await runIn(file, feeds, "reference");
          expect(y, `${suffix} of ${JSON.stringify(layer)}`).toEqual(
            (await runIn(file, feeds, "onnxruntime")).y,
          );
        }
  });

  it("runs what lies between lookups by ONNX Runtime, in as few parts as there must be, and says what took how long", async () => {
    const draw = drawFrom(9);
    const graph = new GraphBuilder();
    for (const name of ["x", "y", "z"]) graph.name(name);
    const { spec, shape } = drawConv(draw);
    const small = { ...spec, outputs: 3 };
    const before = graph.add("Relu", ["x"], "before");
    const [a, b] = ["a", "b"].map((name) => addLookup(graph, small, before, name, draw));
    const sum = graph.add("Sub", [a, b], "difference");
    const shapeOf = graph.add("Shape", [sum], "shape"); // int64, read again behind another lookup
    const flat = graph.add("Reshape", [sum, graph.integers([0, -1, 1])], "flat");
    const last = addLookup(
      graph,
      { operator: "LutMatMul", codebooks: 1, centroids: 4, length: 1, outputs: 1, attributes: {} },
      flat,
      "last",
      draw,
    );
    const back = graph.add("Reshape", [last, shapeOf], "back");
    graph.rename(
      new Map([
        [back, "y"],
        [sum, "z"],
      ]),
    );
    const file = modelBytes(graph, {
      name: "several",
      inputs: [plainValue("x", shape)],
      outputs: [plainValue("y", outputShape(small, shape)), plainValue("z", outputShape(small, shape))],
      metadata: {},
    });
    const x = drawn(4)([2, ...shape]);
    const session = await InferenceSession.create(file, { backend: "reference", profile: true });
    expect(session.backend).toBe("reference");
    expect(session.inputs).toEqual([{ name: "x", type: "float32", dims: ["N", ...shape] }]);
    const results = await session.run({ x });
    expect(results).toEqual(await runIn(file, { x }, "onnxruntime"));
    await session.run({ x });
    const profile = await session.profile();
    expect([profile.backend, profile.runs]).toEqual(["reference", 2]);
    expect(profile.nodes.map(({ node, operator, replaced }) => [node, operator, replaced])).toEqual([
      ["between lookups, part 1", "ONNX Runtime", false],
      ["a", spec.operator, true],
      ["b", spec.operator, true],
      ["between lookups, part 2", "ONNX Runtime", false],
      ["last", "LutMatMul", true],
      ["between lookups, part 3", "ONNX Runtime", false],
    ]);
    expect(profile.replacedMilliseconds).toBeGreaterThan(0);
    expect(profile.toTable().caption).toContain("lookups by plain loops");
    await session.release();
  });

  it("opens functions that lookups are in, which it leaves alone otherwise", async () => {
    const draw = drawFrom(31);
    const layer = drawConv(draw);
    const file = lookupFile(layer, draw);
    const x = drawn(5)([1, ...layer.shape]);
    const inputs = ["x", "centroids", "table", "scale", "bias"];
    const around = edited(file, (model) => {
      const [call] = model.graph!.node;
      model.functions.push(
        create(FunctionProtoSchema, {
          name: "Twice",
          domain: "ai.lutnn",
          input: inputs,
          output: ["y"],
          opsetImport: [...model.opsetImport],
          node: [{ ...call, input: inputs, output: ["found"] }, node("Add", ["found", "found"], ["y"])],
        }),
      );
      model.graph!.node[0] = { ...call, opType: "Twice", attribute: [] };
    });
    const [twice, once] = [await runIn(around, { x }, "reference"), await runIn(file, { x }, "reference")];
    expect(twice.y.data).toEqual(once.y.data.map((value) => 2 * value));
    expect(twice.y).toEqual((await runIn(around, { x }, "onnxruntime")).y);
  });

  it("refuses a lookup inside of a branch, where it would run as its function", async () => {
    const draw = drawFrom(37);
    const layer = drawConv(draw);
    const branched = edited(lookupFile(layer, draw), (model) => {
      const [lookup] = model.graph!.node;
      const branch = (name: string) =>
        create(AttributeProtoSchema, {
          name,
          type: 5,
          g: {
            name,
            node: [{ ...lookup, output: [`${name}/y`] }],
            output: [{ name: `${name}/y` }],
          },
        });
      const both = node("If", ["yes"], ["y"]);
      both.attribute = [branch("then_branch"), branch("else_branch")];
      model.graph!.initializer.push(
        create(TensorProtoSchema, { name: "yes", dataType: 9, rawData: Uint8Array.of(1) }),
      );
      model.graph!.node = [both];
    });
    const session = await InferenceSession.create(branched, { backend: "onnxruntime" });
    await session.release();
    await expect(InferenceSession.create(branched, { backend: "reference" })).rejects.toThrow(
      /the reference computes lookups that stand in the file's own graph \(got one inside of If "y" of model\)/,
    );
  });

  it("refuses constants and attributes that do not belong together, in a sentence that names the node", async () => {
    const draw = drawFrom(13);
    const layer = inIntegers(drawConv(draw));
    const file = lookupFile(layer, draw);
    const says = (change: (model: ModelProto) => void) =>
      InferenceSession.create(edited(file, change), { backend: "reference" }).then(
        () => "nothing",
        (error: Error) => error.message,
      );
    const constant = (model: ModelProto, name: string) =>
      model.graph!.initializer.find((one) => one.name === `lookup/${name}`)!;
    const opening = /^InferenceSession: /;
    for (const change of [
      (model: ModelProto) => {
        constant(model, "table").dims[2] += 1n;
      },
      (model: ModelProto) => {
        constant(model, "halfNorms").dims.pop();
      },
      (model: ModelProto) => {
        constant(model, "scale").rawData = constant(model, "scale").rawData.subarray(4);
      },
      (model: ModelProto) => {
        model.graph!.node[0].attribute.find(({ name }) => name === "pads")!.ints.pop();
      },
    ])
      expect(await says(change)).toMatch(opening);
    const scale = await says((model) => {
      constant(model, "inputScale").rawData = new Uint8Array(4);
    });
    expect(scale).toMatch(
      /LutConvInteger "lookup" of model: inputScale must be above 0 \(got 0\); write the file anew$/,
    );
    const strides = await says((model) => {
      model.graph!.node[0].attribute.find(({ name }) => name === "strides")!.ints = [1n, 0n];
    });
    expect(strides).toMatch(/strides|windows must have lengths/i);
    await expect(InferenceSession.create(file, { backend: "reference", isa: "scalar" })).rejects.toThrow(
      /isa must be left out unless the backend is native/,
    );
  });
});
