import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { InferenceSession } from "lutnn";
import * as native from "lutnn-native";
import { describe, expect, it } from "vitest";
import { LUTNN_DOMAIN } from "../../../kernel/lib/onnx/builder";
import { GraphBuilder } from "../../../kernel/lib/onnx/graphBuilder";
import { modelBytes } from "../../../kernel/lib/onnx/model";
import { passBytes } from "../../../kernel/lib/onnx/passBytes";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { shareCodes } from "../../../kernel/lib/onnx/shareCodes";
import { addLookup, drawFrom, plainValue } from "../inference/lookupFile";

const python = join(
  import.meta.dirname,
  "../../../.venv",
  process.platform === "win32" ? "Scripts/python.exe" : "bin/python",
);

interface Sizes {
  codebooks: number;
  centroids: number;
  length: number;
  /** Of each of the lookups that share. */
  outputs: number[];
  rows: number[];
}

const quantizer = ["inputScale", "inputZeroPoint", "centroids", "halfNorms"];
const suffixes = ["", "Relu", "AddRelu", "Gelu"];

/**
 * Lookups a, b and c of one value with codebooks of the same content, each in constants of its own, and d with others. With
 * `hasMaker` a lookup makes their value, and others read what a and c make, so that bytes are handed on.
 */
function drawGraph(base: string, sizes: Sizes, seed: number, hasMaker: boolean) {
  const { codebooks, centroids, length, outputs } = sizes;
  const draw = drawFrom(seed);
  const graph = new GraphBuilder();
  const depth = codebooks * length;
  const ends: [string, number][] = [];
  for (const name of ["x", "residual"]) graph.name(name);
  const lookup = (operator: string, x: string, name: string, count: number) =>
    addLookup(
      graph,
      { operator, codebooks, centroids, length, outputs: count, attributes: {} },
      x,
      name,
      draw,
      {
        residual: operator.includes("Add") ? "residual" : undefined,
      },
    );
  const x = hasMaker ? lookup(base, "x", "maker", depth) : "x";
  const made = outputs.map((count, i) => lookup(`${base}${suffixes[i]}`, x, "abcd"[i], count));
  for (const name of ["b", "c"])
    for (const what of quantizer) {
      const [from, to] = ["a", name].map((one) => graph.constants.find((c) => c.name === `${one}/${what}`));
      if (from && to) to.rawData = Uint8Array.from(from.rawData);
    }
  made.forEach((name, i) => {
    if (hasMaker && outputs[i] === depth) ends.push([lookup(base, name, `${name}/reader`, 3), 3]);
    else ends.push([name, outputs[i]]);
  });
  return { graph, ends };
}

type Made = ReturnType<typeof drawGraph>;

const fileOf = (
  { graph, ends }: Made,
  { rows, codebooks, length, outputs }: Sizes,
  functions: "local" | "inlined" = "local",
) =>
  modelBytes(graph, {
    name: "shared",
    inputs: [plainValue("x", [...rows, codebooks * length]), plainValue("residual", [...rows, outputs[2]])],
    outputs: ends.map(([name, count]) => plainValue(name, [...rows, count])),
    metadata: {},
    functions,
  });

const operatorsOf = (file: Uint8Array) =>
  readModel(file, "test")
    .graph!.node.filter(({ domain }) => domain === LUTNN_DOMAIN)
    .map(({ opType }) => opType);

async function run(
  file: Uint8Array,
  { rows, codebooks, length, outputs }: Sizes,
  options: object,
): Promise<number[][]> {
  const draw = drawFrom(7);
  const value = (last: number) => {
    const dims = [3, ...rows, last];
    const count = dims.reduce((product, one) => product * one, 1);
    return { data: Float32Array.from({ length: count }, () => draw(-40, 40) / 8), dims };
  };
  const session = await InferenceSession.create(file, options);
  try {
    const results = await session.run({ x: value(codebooks * length), residual: value(outputs[2]) });
    return session.outputNames.map((name) => Array.from(results[name].data as Float32Array));
  } finally {
    await session.release();
  }
}

const small: Sizes = { codebooks: 3, centroids: 5, length: 4, outputs: [12, 70, 12, 3], rows: [4] };
const wide: Sizes = { codebooks: 2, centroids: 130, length: 3, outputs: [6, 1, 6, 65], rows: [] };

describe("matrix products by lookup that give one value the same codes", () => {
  it.each([
    ["LutMatMul", small, false, "LutMatMulToCodes"],
    ["LutMatMul", wide, false, "LutMatMulToCodes"],
    ["LutMatMulInteger", small, false, "LutMatMulIntegerToCodes"],
    ["LutMatMulInteger", wide, false, "LutMatMulIntegerToCodes"],
    ["LutMatMulInteger", small, true, "LutMatMulIntegerOfBytesToCodes"],
  ])(
    "encode it once, with the bits of those that do not, in every backend: %s (%#)",
    async (base, sizes, hasMaker, encode) => {
      const plain = drawGraph(base, sizes, 5, hasMaker);
      const reference = await run(fileOf(plain, sizes), sizes, { backend: "reference", optimize: false });
      const made = drawGraph(base, sizes, 5, hasMaker);
      passBytes(made.graph, new Set(made.ends.map(([name]) => name)));
      shareCodes(made.graph);
      const file = fileOf(made, sizes);
      const operators = operatorsOf(file);
      expect(operators.filter((one) => one.endsWith("ToCodes"))).toEqual([encode]);
      expect(operators.filter((one) => one.startsWith("LutMatMulOfCodes"))).toHaveLength(3);
      if (hasMaker) expect(operators.join(" ")).toMatch(/OfCodesToBytes.*OfCodesAddReluToBytes/);
      expect(await run(file, sizes, { backend: "reference", optimize: false })).toEqual(reference);
      const inlined = fileOf(made, sizes, "inlined");
      expect(operatorsOf(inlined)).toEqual([]);
      // GELU, which d has, is one approximation in a fused node and another by its own nodes.
      const exact = (all: number[][]) => all.slice(0, 3);
      for (const optimize of [true, false])
        for (const bytes of [file, inlined])
          expect(exact(await run(bytes, sizes, { backend: "onnxruntime", optimize }))).toEqual(
            exact(reference),
          );
      for (const isa of native.availableIsas())
        for (const threads of [1, 2])
          expect(exact(await run(file, sizes, { backend: "native", isa, threads })), isa).toEqual(
            exact(reference),
          );
    },
  );

  it("count by what their codebooks, scale and zero point hold", () => {
    for (const what of quantizer) {
      const made = drawGraph("LutMatMulInteger", small, 5, false);
      const other = made.graph.constants.find(({ name }) => name === `b/${what}`)!;
      other.rawData = Uint8Array.from(other.rawData, (byte, i) => (i === 0 ? byte ^ 1 : byte));
      shareCodes(made.graph);
      expect(operatorsOf(fileOf(made, small)), what).toEqual([
        "LutMatMulIntegerToCodes",
        "LutMatMulOfCodes",
        "LutMatMulIntegerRelu",
        "LutMatMulOfCodesAddRelu",
        "LutMatMulIntegerGelu",
      ]);
    }
  });

  it("pass onnx's full checker and strict shape inference", () => {
    const made = drawGraph("LutMatMulInteger", small, 5, true);
    passBytes(made.graph, new Set(made.ends.map(([name]) => name)));
    shareCodes(made.graph);
    const script = `
import sys, json, onnx
model = onnx.load_from_string(sys.stdin.buffer.read())
onnx.checker.check_model(model, full_check=True)
inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
print(json.dumps([[d.dim_value for d in one.type.tensor_type.shape.dim] for one in inferred.graph.output]))`;
    const options = { input: fileOf(made, small), encoding: "utf8" as const };
    const dims = JSON.parse(execFileSync(python, ["-c", script], options));
    expect(dims).toEqual(made.ends.map(([, count]) => [0, 4, count]));
  });

  it("refuse codes that name no entry, natively and by the reference", async () => {
    const made = drawGraph("LutMatMul", small, 5, false);
    shareCodes(made.graph);
    const { graph } = made;
    const at = graph.nodes.findIndex(({ opType }) => opType === "LutMatMulToCodes");
    const [encode] = graph.nodes.splice(at, 1);
    // Codes 0 … K − 1 are 5 of them; 5 is the first that is none.
    const codes = graph.add("Cast", [graph.constant("wrong", Float32Array.of(4, 5, 0), [1, 3])], "codes", {
      to: 2,
    });
    graph.rename(new Map([[codes, encode.output[0]]]));
    graph.nodes.unshift(graph.nodes.pop()!);
    graph.prune(new Set(["a"]));
    const file = modelBytes(graph, {
      name: "wrong",
      inputs: [plainValue("x", [12])],
      outputs: [plainValue("a", [12])],
      metadata: {},
    });
    for (const backend of ["native", "reference"] as const) {
      const create = async () => {
        const session = await InferenceSession.create(file, { backend, optimize: false });
        try {
          return await session.run({ x: { data: new Float32Array(12), dims: [1, 12] } });
        } finally {
          await session.release();
        }
      };
      await expect(create(), backend).rejects.toThrow(/codes must be below/);
    }
  });
});
