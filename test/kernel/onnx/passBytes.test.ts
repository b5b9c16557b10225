import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { InferenceSession } from "lutnn";
import * as native from "lutnn-native";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../kernel/lib/onnx/graphBuilder";
import { modelBytes } from "../../../kernel/lib/onnx/model";
import { passBytes } from "../../../kernel/lib/onnx/passBytes";
import { readModel } from "../../../kernel/lib/onnx/readModel";
import { addLookup, type Draw, drawFrom, plainValue } from "../inference/lookupFile";

const python = join(
  import.meta.dirname,
  "../../../.venv",
  process.platform === "win32" ? "Scripts/python.exe" : "bin/python",
);

const shape = [4, 9, 7];

/** A convolution that keeps the images' size. */
const conv = (draw: Draw, suffix: string) => {
  const size = draw(0, 1) * 2 + 1;
  const pad = (size - 1) / 2;
  return {
    operator: `LutConvInteger${suffix}`,
    codebooks: 4,
    centroids: draw(2, 16),
    length: size * size,
    outputs: 4,
    attributes: {
      kernel_shape: [size, size],
      strides: [1, 1],
      pads: [pad, pad, pad, pad],
      dilations: [1, 1],
      group: 4,
    },
  };
};

interface Made {
  graph: GraphBuilder;
  ends: string[];
}

/** Max pooling that keeps the images' size. */
const pool = (graph: GraphBuilder, x: string): string =>
  graph.add("MaxPool", [x], `${x}/pool`, { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] });

/** Lookups that read one another, the input, sums and poolings; every value is read by somebody, some of them by several. */
function drawGraph(seed: number): Made {
  const draw = drawFrom(seed);
  const graph = new GraphBuilder();
  for (const name of ["x", "y", "z"]) graph.name(name);
  const values = ["x"];
  const any = () => values[draw(0, values.length - 1)];
  for (let i = 0; i < 6; i++) {
    const adds = draw(0, 2) === 0;
    const suffix = `${adds ? "Add" : ""}${draw(0, 1) ? "Relu" : ""}`;
    const x = draw(0, 3) === 0 ? any() : values[values.length - 1];
    const made = addLookup(graph, conv(draw, suffix), x, `conv${i}`, draw, adds ? { residual: any() } : {});
    values.push(draw(0, 2) === 0 ? pool(graph, made) : made);
  }
  // The second output is in the middle, and its value goes on.
  const [last, middle] = [values[values.length - 1], values[draw(2, 4)]];
  graph.rename(new Map([[last, "y"]]));
  graph.add("Identity", [middle], "copy");
  graph.rename(new Map([["copy", "z"]]));
  return { graph, ends: ["y", "z"] };
}

const fileOf = ({ graph, ends }: Made) =>
  modelBytes(graph, {
    name: "lookups",
    inputs: [plainValue("x", shape)],
    outputs: ends.map((name) => plainValue(name, shape)),
    metadata: {},
  });

const operatorsOf = (file: Uint8Array) =>
  readModel(file, "test")
    .graph!.node.filter(({ domain }) => domain === "ai.lutnn")
    .map(({ opType }) => opType);

const feeds = (seed: number) => {
  const draw = drawFrom(seed);
  return {
    x: { data: Float32Array.from({ length: 2 * 4 * 9 * 7 }, () => draw(-40, 40) / 8), dims: [2, ...shape] },
  };
};

async function results(file: Uint8Array, seed: number, options: object): Promise<number[]> {
  const session = await InferenceSession.create(file, options);
  try {
    const { y, z } = await session.run(feeds(seed));
    return [...(y.data as Float32Array), ...(z.data as Float32Array)];
  } finally {
    await session.release();
  }
}

describe("lookups that hand bytes to each other", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    "give the bits of those that do not, in every backend (%i)",
    async (seed) => {
      const wanted = await results(fileOf(drawGraph(seed)), seed, { backend: "onnxruntime" });
      const made = drawGraph(seed);
      passBytes(made.graph, new Set(made.ends));
      const file = fileOf(made);
      expect(operatorsOf(file).join(" ")).toMatch(/ToBytes|WithBytes/);
      expect(operatorsOf(file).join(" ")).toMatch(/OfBytes/);
      for (const optimize of [true, false])
        expect(await results(file, seed, { backend: "onnxruntime", optimize })).toEqual(wanted);
      expect(await results(file, seed, { backend: "reference" }), "reference").toEqual(wanted);
      for (const isa of native.availableIsas())
        for (const threads of [1, 2])
          expect(await results(file, seed, { backend: "native", isa, threads }), isa).toEqual(wanted);
    },
  );

  /** a → b → c and d, e; residuals and scales as said. */
  function chain(scales: Record<string, number>, residual?: string): Made {
    const graph = new GraphBuilder();
    for (const name of ["x", "y", "z"]) graph.name(name);
    const draw = drawFrom(3);
    const a = addLookup(graph, conv(draw, "Relu"), "x", "a", draw);
    const b = addLookup(graph, conv(draw, ""), a, "b", draw);
    const c = addLookup(graph, conv(draw, ""), a, "c", draw);
    const d = addLookup(graph, conv(draw, "Add"), b, "d", draw, { residual: residual === "a" ? a : c });
    graph.rename(new Map([[d, "y"]]));
    graph.add("Identity", [c], "copy");
    graph.rename(new Map([["copy", "z"]]));
    for (const constant of graph.constants)
      for (const [name, scale] of Object.entries(scales)) {
        if (constant.name === `${name}/inputScale`)
          constant.rawData = new Uint8Array(Float32Array.of(scale).buffer);
        if (constant.name === `${name}/inputZeroPoint`) constant.rawData = Uint8Array.of(128);
      }
    passBytes(graph, new Set(["y", "z"]));
    return { graph, ends: ["y", "z"] };
  }

  it("leave out the floats that nobody reads, and keep them for a residual or an output", () => {
    const same = { b: 0.5, c: 0.5 };
    expect(operatorsOf(fileOf(chain(same)))).toEqual([
      "LutConvIntegerReluToBytes",
      "LutConvIntegerOfBytesToBytes",
      "LutConvIntegerOfBytes",
      "LutConvIntegerOfBytesAdd",
    ]);
    expect(operatorsOf(fileOf(chain(same, "a")))[0]).toBe("LutConvIntegerReluWithBytes");
  });

  /** a → pooling → b, and c where it is asked for; b and c are the outputs. */
  function pooled(attributes: Record<string, number[]>, scales: number[], readsFloats: boolean): Made {
    const graph = new GraphBuilder();
    for (const name of ["x", "y", "z"]) graph.name(name);
    const draw = drawFrom(5);
    const a = addLookup(graph, conv(draw, "Relu"), "x", "a", draw);
    const p = graph.add("MaxPool", [a], "p", attributes);
    const ends = scales.map((scale, i) => {
      const made = addLookup(graph, conv(draw, ""), p, `b${i}`, draw);
      for (const constant of graph.constants) {
        if (constant.name === `b${i}/inputScale`)
          constant.rawData = new Uint8Array(Float32Array.of(scale).buffer);
        if (constant.name === `b${i}/inputZeroPoint`) constant.rawData = Uint8Array.of(0);
      }
      return made;
    });
    if (readsFloats) ends.push(graph.add("Identity", [p], "copy"));
    graph.rename(new Map(ends.map((name, i) => [name, ["y", "z"][i]])));
    return { graph, ends: ["y", "z"].slice(0, ends.length) };
  }

  const halves = { kernel_shape: [2, 2], strides: [2, 2], pads: [0, 0, 0, 0] };

  it.each([
    ["windows side by side", halves],
    ["windows that overlap", { kernel_shape: [3, 2], strides: [2, 1], pads: [1, 0, 2, 1] }],
    ["steps over columns", { kernel_shape: [1, 2], strides: [3, 3], pads: [0, 1, 0, 0] }],
  ])("pool bytes between them: %s", async (_, attributes) => {
    const [plain, changed] = [0, 1].map(() => pooled(attributes, [0.25], false));
    passBytes(changed.graph, new Set(changed.ends));
    const lengths = [0, 1].map((axis) => {
      const { kernel_shape, strides, pads } = attributes;
      const padded = shape[1 + axis] + pads[axis] + pads[2 + axis];
      return Math.floor((padded - kernel_shape[axis]) / strides[axis]) + 1;
    });
    const [wanted, file] = [plain, changed].map(({ graph }) =>
      modelBytes(graph, {
        name: "pooled",
        inputs: [plainValue("x", shape)],
        outputs: [plainValue("y", [4, ...lengths])],
        metadata: {},
      }),
    );
    expect(operatorsOf(file)).toEqual([
      "LutConvIntegerReluToBytes",
      "MaxPoolOfBytes",
      "LutConvIntegerOfBytes",
    ]);
    const run = async (bytes: Uint8Array, options: object) => {
      const session = await InferenceSession.create(bytes, options);
      const { y } = await session.run(feeds(4));
      await session.release();
      return y;
    };
    const expected = await run(wanted, { backend: "onnxruntime" });
    for (const optimize of [true, false])
      expect(await run(file, { backend: "onnxruntime", optimize })).toEqual(expected);
    expect(await run(file, { backend: "reference" }), "reference").toEqual(expected);
    for (const isa of native.availableIsas())
      for (const threads of [1, 2])
        expect(await run(file, { backend: "native", isa, threads }), isa).toEqual(expected);
  });

  it("pool floats where somebody reads these, or readers quantise them in two ways", () => {
    const pools = (made: Made) => {
      passBytes(made.graph, new Set(made.ends));
      return made.graph.nodes
        .filter(({ opType }) => opType.startsWith("MaxPool"))
        .map(({ opType }) => opType);
    };
    expect(pools(pooled(halves, [0.5, 0.5], false))).toEqual(["MaxPoolOfBytes"]);
    expect(pools(pooled(halves, [0.5, 0.25], false))).toEqual(["MaxPool"]);
    expect(pools(pooled(halves, [0.5], true))).toEqual(["MaxPool"]);
    expect(pools(pooled({ ...halves, dilations: [1, 1] }, [0.5], false))).toEqual(["MaxPool"]);
  });

  it("refuse a pooling of bytes whose windows may be of padding alone", async () => {
    const { graph, ends } = pooled(halves, [0.5], false);
    passBytes(graph, new Set(ends));
    const node = graph.nodes.find(({ opType }) => opType === "MaxPoolOfBytes")!;
    node.attribute.find(({ name }) => name === "pads")!.ints = [2n, 0n, 0n, 0n];
    const file = modelBytes(graph, {
      name: "pooled",
      inputs: [plainValue("x", shape)],
      outputs: [plainValue("y", [4, 5, 3])],
      metadata: {},
    });
    await expect(InferenceSession.create(file, { backend: "native" })).rejects.toThrow(
      /padding of max pooling must be below the filter's height \(got 2 and 2\)/,
    );
  });

  it("pass onnx's full checker and strict shape inference in every variant", () => {
    const { graph, ends } = drawGraph(1);
    const draw = drawFrom(9);
    const dense = { codebooks: 7, centroids: 5, length: 9, outputs: 7, attributes: {} };
    let rows = "y";
    for (const suffix of ["", "Relu", "Add", "AddRelu"])
      for (const operator of [`LutMatMulInteger${suffix}`, `LutConvInteger${suffix}`]) {
        const spec = operator.includes("Conv")
          ? conv(draw, suffix)
          : { ...dense, operator, codebooks: 7, length: 1 };
        const read = operator.includes("Conv") ? "y" : rows;
        const add = suffix.includes("Add") ? { residual: read } : {};
        const made = addLookup(graph, { ...spec, operator }, read, `more${operator}`, draw, add);
        const next = addLookup(graph, { ...spec, operator }, made, `next${operator}`, draw, add);
        graph.add("Sub", [next, made], `end${operator}`);
        rows = operator.includes("Conv") ? rows : next;
      }
    passBytes(graph, new Set(ends));
    const file = fileOf({ graph, ends });
    const script = `
import sys, json, onnx
model = onnx.load_from_string(sys.stdin.buffer.read())
onnx.checker.check_model(model, full_check=True)
inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
print(json.dumps([len(model.functions), [d.dim_value for d in inferred.graph.output[0].type.tensor_type.shape.dim]]))`;
    const [functions, dims] = JSON.parse(
      execFileSync(python, ["-c", script], { input: file, encoding: "utf8" }),
    );
    expect(functions).toBeGreaterThan(15);
    expect(dims).toEqual([0, ...shape]);
  });

  it("read floats where they quantise them in another way than the most", () => {
    expect(operatorsOf(fileOf(chain({ b: 0.5, c: 0.25 })))).toEqual([
      "LutConvIntegerReluWithBytes",
      "LutConvIntegerOfBytesToBytes",
      "LutConvInteger",
      "LutConvIntegerOfBytesAdd",
    ]);
  });
});
