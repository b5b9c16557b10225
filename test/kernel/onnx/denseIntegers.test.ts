import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { InferenceSession, type inference } from "lutnn";
import * as native from "lutnn-native";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../kernel/lib/onnx/graphBuilder";
import { modelBytes } from "../../../kernel/lib/onnx/model";
import { passBytes } from "../../../kernel/lib/onnx/passBytes";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { addDense } from "../inference/denseFile";
import { addLookup, type Draw, drawFrom, plainValue } from "../inference/lookupFile";

const python = join(
  import.meta.dirname,
  "../../../.venv",
  process.platform === "win32" ? "Scripts/python.exe" : "bin/python",
);

const channels = 5;
const shape = [channels, 6, 7];
const sizeOf = (dims: readonly number[]) => dims.reduce((product, length) => product * length, 1);

/** A convolution's window that keeps the images' size, uneven and dilated ones among them. */
function windowOf(draw: Draw) {
  const dilations = [draw(1, 2), draw(1, 2)];
  const kernel_shape = [draw(1, 3), draw(1, 3)];
  const around = kernel_shape.map((length, axis) => (length - 1) * dilations[axis]);
  const before = around.map((length) => draw(0, length));
  return {
    kernel_shape,
    strides: [1, 1],
    pads: [...before, ...around.map((length, axis) => length - before[axis])],
    dilations,
  };
}

function addConvLookup(
  graph: GraphBuilder,
  suffix: string,
  x: string,
  name: string,
  draw: Draw,
  residual?: string,
) {
  const spec = {
    operator: `LutConvInteger${suffix}`,
    codebooks: channels,
    centroids: draw(2, 16),
    length: 9,
    outputs: channels,
    attributes: {
      kernel_shape: [3, 3],
      strides: [1, 1],
      pads: [1, 1, 1, 1],
      dilations: [1, 1],
      group: channels,
    },
  };
  return addLookup(graph, spec, x, name, draw, residual === undefined ? {} : { residual });
}

/** Dense convolutions and lookups in a row, with sums of what came before; `y` is the last, `z` one in the middle. */
function drawGraph(seed: number): GraphBuilder {
  const draw = drawFrom(seed);
  const graph = new GraphBuilder();
  for (const name of ["x", "y", "z"]) graph.name(name);
  const values = ["x"];
  for (let i = 0; i < 7; i++) {
    const adds = draw(0, 2) === 0;
    const suffix = adds ? `Add${draw(0, 1) ? "Relu" : ""}` : ["", "Relu", "Gelu"][draw(0, 2)];
    const x = values[draw(0, 3) === 0 ? draw(0, values.length - 1) : values.length - 1];
    const residual = adds ? values[draw(0, values.length - 1)] : undefined;
    const made =
      draw(0, 2) === 0
        ? addConvLookup(graph, suffix, x, `lookup${i}`, draw, residual)
        : addDense(
            graph,
            { suffix, channels, outputs: channels, window: windowOf(draw) },
            x,
            `dense${i}`,
            draw,
            residual,
          );
    values.push(made);
  }
  graph.rename(new Map([[values[7], "y"]]));
  graph.add("Identity", [values[3]], "copy");
  graph.rename(new Map([["copy", "z"]]));
  return graph;
}

const ends = ["y", "z"];

const fileOf = (graph: GraphBuilder, functions: "local" | "inlined" = "local") =>
  modelBytes(graph, {
    name: "dense",
    inputs: [plainValue("x", shape)],
    outputs: ends.map((name) => plainValue(name, shape)),
    metadata: {},
    functions,
  });

const operatorsOf = (file: Uint8Array) =>
  readModel(file, "test")
    .graph!.node.filter(({ domain }) => domain === "ai.lutnn")
    .map(({ opType }) => opType);

async function run(
  file: Uint8Array,
  dims: number[],
  seed: number,
  options: inference.SessionOptions,
): Promise<number[]> {
  const draw = drawFrom(seed);
  const session = await InferenceSession.create(file, options);
  try {
    const x = { data: Float32Array.from({ length: sizeOf(dims) }, () => draw(-90, 90) / 17), dims };
    const results = await session.run({ x });
    return session.outputNames.flatMap((name) => [...results[name].data]);
  } finally {
    await session.release();
  }
}

/** GELU's error function is one approximation in a runtime's fused node and another in its own: of the largest output. */
const geluTolerance = 1e-6;

function expectNear(got: number[], wanted: number[], what: string): void {
  const largest = Math.max(...wanted.map(Math.abs));
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value - got[i])));
  expect(largest, what).toBeGreaterThan(0.1);
  expect(worst / largest, what).toBeLessThanOrEqual(geluTolerance);
}

describe("dense layers in INT8 in a file", () => {
  it.each([1, 2, 3, 4, 5, 6])(
    "give the same bits by the reference, by functions and natively, bytes handed on or not (%i)",
    async (seed) => {
      const dims = [2, ...shape];
      const reference = await run(fileOf(drawGraph(seed)), dims, seed, {
        backend: "reference",
        optimize: false,
      });
      const plain = await run(fileOf(drawGraph(seed)), dims, seed, {
        backend: "onnxruntime",
        optimize: false,
      });
      expect(plain).toEqual(reference);
      const graph = drawGraph(seed);
      passBytes(graph, new Set(ends));
      const file = fileOf(graph);
      expect(operatorsOf(file).join(" ")).toMatch(/Dense\w+(To|With)Bytes/);
      expect(operatorsOf(file).join(" ")).toMatch(/DenseConvIntegerOfBytes/);
      for (const backend of ["onnxruntime", "reference"] as const)
        expect(await run(file, dims, seed, { backend, optimize: false }), backend).toEqual(reference);
      const inlined = fileOf(graph, "inlined");
      expect(operatorsOf(inlined)).toEqual([]);
      expect(await run(inlined, dims, seed, { backend: "onnxruntime", optimize: false })).toEqual(reference);
      const hasGelu = operatorsOf(file).some((operator) => operator.includes("Gelu"));
      const optimized = await run(file, dims, seed, { backend: "onnxruntime" });
      if (!hasGelu) expect(optimized).toEqual(reference);
      const [first] = native.availableIsas();
      const natively = await run(file, dims, seed, { backend: "native", isa: first });
      if (!hasGelu) expect(natively).toEqual(reference);
      for (const isa of native.availableIsas())
        for (const threads of [1, 2])
          expect(await run(file, dims, seed, { backend: "native", isa, threads }), isa).toEqual(natively);
    },
  );

  it.each([
    ["Gelu", [2, 3, 40], 40, 9],
    ["", [3, 7], 7, 1],
    ["AddRelu", [1, 5, 2, 33], 33, 33],
    ["Relu", [2, 3000], 3000, 65],
  ])(
    "give the reference's numbers as a matrix product%s of any rank",
    async (suffix, dims, length, outputs) => {
      const draw = drawFrom(length);
      const graph = new GraphBuilder();
      for (const name of ["x", "y"]) graph.name(name);
      const residual = suffix.includes("Add") ? "x" : undefined;
      const made = addDense(graph, { suffix, channels: length, outputs }, "x", "dense", draw, residual);
      graph.rename(new Map([[made, "y"]]));
      const frame = {
        name: "dense",
        inputs: [plainValue("x", dims.slice(1))],
        outputs: [plainValue("y", [...dims.slice(1, -1), outputs])],
        metadata: {},
      };
      const reference = await run(modelBytes(graph, frame), dims, 3, {
        backend: "reference",
        optimize: false,
      });
      for (const functions of ["local", "inlined"] as const) {
        const file = modelBytes(graph, { ...frame, functions });
        expect(await run(file, dims, 3, { backend: "onnxruntime", optimize: false })).toEqual(reference);
        expectNear(
          await run(file, dims, 3, { backend: "onnxruntime" }),
          reference,
          `${functions}, optimised`,
        );
      }
      const file = modelBytes(graph, frame);
      for (const isa of native.availableIsas())
        for (const threads of [1, 2]) {
          const natively = await run(file, dims, 3, { backend: "native", isa, threads });
          if (suffix === "Gelu") expectNear(natively, reference, isa);
          else expect(natively, isa).toEqual(reference);
        }
    },
  );

  it("pass onnx's full checker and strict shape inference in every variant", () => {
    const graph = new GraphBuilder();
    for (const name of ["x", "y", "z"]) graph.name(name);
    const draw = drawFrom(2);
    const window = { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1] };
    let [images, rows] = ["x", "x"];
    for (const suffix of ["", "Relu", "Gelu", "Add", "AddRelu"])
      for (const isLast of [false, true])
        for (const isConv of [true, false]) {
          const x = isConv ? images : rows;
          const residual = suffix.includes("Add") ? x : undefined;
          const length = isConv ? channels : shape[2];
          const spec = { suffix, channels: length, outputs: length, ...(isConv ? { window } : {}) };
          const made = addDense(graph, spec, x, `dense${suffix}${isLast}${isConv}`, draw, residual);
          // Somebody else reads some of them.
          if (isLast) graph.add("Neg", [made], `read${suffix}${isConv}`);
          if (isConv) images = made;
          else rows = made;
        }
    graph.rename(
      new Map([
        [images, "y"],
        [rows, "z"],
      ]),
    );
    passBytes(graph, new Set(ends));
    const file = fileOf(graph);
    const operators = new Set(operatorsOf(file));
    for (const results of ["ToBytes", "WithBytes"])
      for (const base of ["DenseConv", "DenseMatMul"])
        expect([...operators].some((one) => one.startsWith(base) && one.endsWith(results))).toBe(true);
    const script = `
import sys, json, onnx
model = onnx.load_from_string(sys.stdin.buffer.read())
onnx.checker.check_model(model, full_check=True)
inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
print(json.dumps([[d.dim_value for d in one.type.tensor_type.shape.dim] for one in inferred.graph.output]))`;
    const dims = JSON.parse(execFileSync(python, ["-c", script], { input: file, encoding: "utf8" }));
    expect(dims).toEqual([
      [0, ...shape],
      [0, ...shape],
    ]);
  });
});
