import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { InferenceSession } from "lutnn";
import * as native from "lutnn-native";
import { describe, expect, it } from "vitest";
import { AttributeType, LUTNN_DOMAIN } from "../../../kernel/lib/onnx/builder";
import { GraphBuilder } from "../../../kernel/lib/onnx/graphBuilder";
import { modelBytes } from "../../../kernel/lib/onnx/model";
import { AttributeProtoSchema } from "../../../kernel/lib/onnx/onnx_pb";
import { passBytes } from "../../../kernel/lib/onnx/passBytes";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { shareCodes } from "../../../kernel/lib/onnx/shareCodes";
import { addDense } from "../inference/denseFile";
import { addLookup, drawFrom, plainValue } from "../inference/lookupFile";

const python = join(
  import.meta.dirname,
  "../../../.venv",
  process.platform === "win32" ? "Scripts/python.exe" : "bin/python",
);

/** Of the largest number, between ONNX Runtime's moments and ours: float32 in another order. */
const tolerance = 1e-5;
const [rows, depth] = [5, 12];

/**
 * x → layer norm → two lookups that share codes, and a dense layer in INT8, whose inputs all become bytes alike.
 * @param axes normalised at the end; of rows, 1
 * @param readsFloats somebody reads the norm's numbers, too
 */
function drawGraph(axes = 1, readsFloats = true) {
  const draw = drawFrom(11);
  const graph = new GraphBuilder();
  graph.name("x");
  const dims = [rows, depth].slice(2 - axes);
  const floats = (name: string) =>
    graph.constant(
      name,
      Float32Array.from({ length: dims.reduce((a, b) => a * b) }, () => draw(-20, 20) / 10),
      dims,
    );
  const norm = graph.add("LayerNormalization", ["x", floats("gamma"), floats("beta")], "norm", {
    axis: 3 - axes,
  });
  const epsilon = { name: "epsilon", type: AttributeType.FLOAT, f: 1e-3 };
  graph.nodes.at(-1)!.attribute.push(create(AttributeProtoSchema, epsilon));
  const spec = {
    operator: "LutMatMulInteger",
    codebooks: 3,
    centroids: 9,
    length: 4,
    outputs: 7,
    attributes: {},
  };
  const lookups = ["a", "b"].map((name) => addLookup(graph, spec, norm, name, draw));
  const dense = addDense(graph, { suffix: "", channels: depth, outputs: 7 }, norm, "dense", draw);
  for (const { name, rawData } of graph.constants.filter(({ name }) => name.startsWith("a/"))) {
    const what = name.slice(2);
    const readers = /^input/.test(what) ? ["b", "dense"] : /^(centroids|halfNorms)$/.test(what) ? ["b"] : [];
    for (const reader of readers)
      graph.constants.find((one) => one.name === `${reader}/${what}`)!.rawData = Uint8Array.from(rawData);
  }
  const ends: [string, number][] = [...lookups, dense].map((name) => [name, 7]);
  if (readsFloats) ends.push([norm, depth]);
  return { graph, ends };
}

type Made = ReturnType<typeof drawGraph>;

function joined(made: Made): Made {
  passBytes(made.graph, new Set(made.ends.map(([name]) => name)));
  shareCodes(made.graph);
  return made;
}

const fileOf = ({ graph, ends }: Made, functions: "local" | "inlined" = "local") =>
  modelBytes(graph, {
    name: "norm",
    inputs: [plainValue("x", [rows, depth])],
    outputs: ends.map(([name, count]) => plainValue(name, [rows, count])),
    metadata: {},
    functions,
  });

const operatorsOf = (file: Uint8Array) =>
  readModel(file, "test")
    .graph!.node.filter(({ domain }) => domain === LUTNN_DOMAIN)
    .map(({ opType }) => opType);

const draw = drawFrom(3);
const drawn = Float32Array.from({ length: 7 * rows * depth }, () => draw(-400, 500) / 64);

async function run(file: Uint8Array, options: object, data = drawn): Promise<number[][]> {
  const x = { data, dims: [7, rows, depth] };
  const session = await InferenceSession.create(file, options);
  try {
    const results = await session.run({ x });
    return session.outputNames.map((name) => Array.from(results[name].data as Float32Array));
  } finally {
    await session.release();
  }
}

describe("a layer norm before layers that read bytes", () => {
  it("gives them bytes, and its numbers where somebody reads these", () => {
    const behind = [
      "LutMatMulIntegerOfBytesToCodes",
      "LutMatMulOfCodes",
      "LutMatMulOfCodes",
      "DenseMatMulIntegerOfBytes",
    ];
    expect(operatorsOf(fileOf(joined(drawGraph())))).toEqual(["LayerNormWithBytes", ...behind]);
    expect(operatorsOf(fileOf(joined(drawGraph(1, false))))).toEqual(["LayerNormToBytes", ...behind]);
  });

  it("stays ONNX's where it is of several axes, or nobody reads bytes", () => {
    const several = operatorsOf(fileOf(joined(drawGraph(2))));
    expect(several).not.toContain("LayerNormWithBytes");
    expect(several).toContain("LutMatMulIntegerToCodes");
    const made = drawGraph();
    for (const node of made.graph.nodes) if (node.domain === LUTNN_DOMAIN) node.input[0] = "x";
    expect(operatorsOf(fileOf(joined(made)))).not.toContain("LayerNormWithBytes");
  });

  it.each([true, false])(
    "gives the bits of one that does not, by functions, inlined and by the reference (numbers read: %s)",
    async (readsFloats) => {
      const wanted = await run(fileOf(drawGraph(1, readsFloats)), {
        backend: "onnxruntime",
        optimize: false,
      });
      const made = joined(drawGraph(1, readsFloats));
      for (const functions of ["local", "inlined"] as const)
        for (const optimize of [true, false])
          expect(await run(fileOf(made, functions), { backend: "onnxruntime", optimize })).toEqual(wanted);
      expect(await run(fileOf(made), { backend: "reference", optimize: false })).toEqual(wanted);
    },
  );

  it("gives the same bits natively on every instruction set, within rounding of ONNX Runtime's", async () => {
    const [, , , wanted] = await run(fileOf(drawGraph()), { backend: "onnxruntime" });
    const [toBytes, withBytes] = [false, true].map((readsFloats) =>
      fileOf(joined(drawGraph(1, readsFloats))),
    );
    let first: number[][] | undefined;
    for (const isa of native.availableIsas())
      for (const threads of [1, 2]) {
        const got = await run(withBytes, { backend: "native", isa, threads });
        first ??= got;
        expect(got, isa).toEqual(first);
        expect(await run(toBytes, { backend: "native", isa, threads }), isa).toEqual(first.slice(0, 3));
      }
    const largest = Math.max(...wanted.map(Math.abs));
    const worst = Math.max(...wanted.map((value, i) => Math.abs(value - first![3][i])));
    expect(largest).toBeGreaterThan(1);
    expect(worst).toBeLessThanOrEqual(tolerance * largest);
    // The readers have what the reference gives for these very numbers.
    const { graph, ends } = drawGraph(1, false);
    graph.nodes.shift();
    for (const { input } of graph.nodes) input[0] = "x";
    const numbers = Float32Array.from(first![3]);
    expect(await run(fileOf({ graph, ends }), { backend: "reference" }, numbers)).toEqual(first!.slice(0, 3));
  });

  it("passes onnx's full checker and strict shape inference", () => {
    const script = `
import sys, json, onnx
model = onnx.load_from_string(sys.stdin.buffer.read())
onnx.checker.check_model(model, full_check=True)
inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
print(json.dumps([[d.dim_value for d in one.type.tensor_type.shape.dim] for one in inferred.graph.output]))`;
    for (const readsFloats of [true, false]) {
      const made = joined(drawGraph(1, readsFloats));
      const options = { input: fileOf(made), encoding: "utf8" as const };
      const dims = JSON.parse(execFileSync(python, ["-c", script], options));
      expect(dims).toEqual(made.ends.map(([, count]) => [0, rows, count]));
    }
  });
});
