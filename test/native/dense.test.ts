import { InferenceSession, LutnnError } from "lutnn";
import * as native from "lutnn-native";
import { describe, expect, it } from "vitest";
import { LUTNN_DOMAIN } from "../../kernel/lib/onnx/builder";
import { GraphBuilder } from "../../kernel/lib/onnx/graphBuilder";
import { modelBytes } from "../../kernel/lib/onnx/model";
import { type Draw, drawFrom, plainValue } from "../kernel/inference/lookupFile";

/** Of GELU natively and in ONNX Runtime together, of |x|: each is within 2⁻²² of x · Φ(x). */
const geluError = 2 ** -21;
/** Where x · Φ(x) is far smaller than x, of x up to 16. */
const geluFloor = 16 * geluError;

/** What follows the base in an operator's name, drawn. */
interface Variant {
  isConv: boolean;
  ofBytes: boolean;
  following: "" | "Relu" | "Add" | "AddRelu" | "Gelu";
  results: "" | "ToBytes" | "WithBytes";
}

const allVariants: Variant[] = [true, false].flatMap((isConv) =>
  [true, false].flatMap((ofBytes) =>
    (["", "Relu", "Add", "AddRelu", "Gelu"] as const).flatMap((following) =>
      (["", "ToBytes", "WithBytes"] as const).map((results) => ({ isConv, ofBytes, following, results })),
    ),
  ),
);
const nameOf = ({ isConv, ofBytes, following, results }: Variant) =>
  `Dense${isConv ? "Conv" : "MatMul"}Integer${ofBytes ? "OfBytes" : ""}${following}${results}`;

const integers = { float32: 1, uint8: 2 };

interface Spec {
  /** Of x behind the batch. */
  shape: number[];
  outputs: number;
  filter: number[];
  attributes: Record<string, number | number[]>;
}

function drawSpec(draw: Draw, isConv: boolean): Spec {
  const outputs = draw(1, 70);
  if (!isConv)
    return {
      shape: [...(draw(0, 1) ? [draw(1, 40)] : []), draw(1, 90)],
      outputs,
      filter: [],
      attributes: {},
    };
  const filter = [draw(1, 3), draw(1, 3)];
  const dilations = [draw(1, 2), draw(1, 2)];
  const size = [0, 1].map((axis) => draw((filter[axis] - 1) * dilations[axis] + 1, 15));
  const pads = [draw(0, 2), draw(0, 2), draw(0, 2), draw(0, 2)];
  return {
    shape: [draw(1, 9), ...size],
    outputs,
    filter,
    attributes: { kernel_shape: filter, strides: [draw(1, 2), draw(1, 3)], pads, dilations, group: 1 },
  };
}

/** Lengths of the result behind the batch. */
function resultShape({ shape, outputs, filter, attributes }: Spec): number[] {
  if (filter.length === 0) return [...shape.slice(0, -1), outputs];
  const { strides, pads, dilations } = attributes as Record<string, number[]>;
  const extent = (axis: number) => {
    const padded = shape[1 + axis] + pads[axis] + pads[2 + axis];
    return Math.floor((padded - (filter[axis] - 1) * dilations[axis] - 1) / strides[axis]) + 1;
  };
  return [outputs, extent(0), extent(1)];
}

/** The operator and, as other outputs, what its definition makes of the same constants by standard operators. */
function fileOf(variant: Variant, spec: Spec, draw: Draw, change: (inputs: string[]) => void = () => {}) {
  const { isConv, ofBytes, following, results } = variant;
  const graph = new GraphBuilder();
  for (const name of ["x", "residual", "y", "bytes", "wantedY", "wantedBytes"]) graph.name(name);
  const taps = spec.filter.reduce((product, length) => product * length, 1);
  const length = isConv ? spec.shape[0] * taps : spec.shape.at(-1)!;
  const dims = isConv ? [spec.outputs, spec.shape[0], ...spec.filter] : [length, spec.outputs];
  const weights = Int8Array.from({ length: length * spec.outputs }, () => draw(-127, 127));
  const floats = (wanted: string, count: number, scale: number) =>
    graph.constant(
      wanted,
      Float32Array.from({ length: count }, () => draw(-99, 99) * scale),
      [count],
    );
  const inputScale = graph.constant("inputScale", Float32Array.of(draw(1, 9) / 50), []);
  const inputZeroPoint = graph.constant("inputZeroPoint", Uint8Array.of(draw(0, 255)), []);
  const outputScale = graph.constant("outputScale", Float32Array.of(draw(1, 9) / 3), []);
  const outputZeroPoint = graph.constant("outputZeroPoint", Uint8Array.of(draw(0, 1) * 128), []);
  const w = graph.constant("weights", weights, dims);
  const scale = floats("scale", spec.outputs, 1e-5);
  const bias = floats("bias", spec.outputs, 0.1);
  const q = graph.add("QuantizeLinear", ["x", inputScale, inputZeroPoint], "q");
  const inputs = [
    ...(ofBytes ? [q] : ["x", inputScale]),
    inputZeroPoint,
    w,
    scale,
    bias,
    ...(following.startsWith("Add") ? ["residual"] : []),
    ...(results === "" ? [] : [outputScale, outputZeroPoint]),
  ];
  change(inputs);
  const made = graph.add(nameOf(variant), inputs, "made", spec.attributes, LUTNN_DOMAIN);
  const both = results === "WithBytes";
  if (both) {
    graph.name("madeBytes");
    graph.nodes.at(-1)!.output = [made, "madeBytes"];
  }
  const y = results === "ToBytes" ? undefined : made;
  const bytes = both ? "madeBytes" : results === "ToBytes" ? made : undefined;

  const sums = isConv
    ? graph.add("ConvInteger", [q, w, inputZeroPoint], "sums", spec.attributes)
    : graph.add("MatMulInteger", [q, w, inputZeroPoint], "sums");
  let wanted = graph.add("Cast", [sums], "floats", { to: integers.float32 });
  const wide = (name: string) =>
    isConv ? graph.add("Reshape", [name, graph.integers([-1, 1, 1])], `${name}/planes`) : name;
  wanted = graph.add("Mul", [wanted, wide(scale)], "scaled");
  wanted = graph.add("Add", [wanted, wide(bias)], "biased");
  if (following.startsWith("Add")) wanted = graph.add("Add", [wanted, "residual"], "added");
  if (following.endsWith("Relu")) wanted = graph.add("Relu", [wanted], "rectified");
  if (following === "Gelu") {
    const erf = graph.add("Erf", [graph.add("Div", [wanted, graph.scalar(Math.SQRT2)], "divided")], "erf");
    const share = graph.add(
      "Mul",
      [graph.add("Add", [erf, graph.scalar(1)], "one"), graph.scalar(0.5)],
      "share",
    );
    wanted = graph.add("Mul", [wanted, share], "gelu");
  }
  // Of GELU bytes are those of our own floats: next to a half those of ONNX Runtime's may differ by one.
  const quantized = following === "Gelu" && y !== undefined ? y : wanted;
  const wantedBytes = graph.add("QuantizeLinear", [quantized, outputScale, outputZeroPoint], "quantized");
  const ends: [string, string][] = [];
  if (y !== undefined) ends.push([y, "y"], [wanted, "wantedY"]);
  if (bytes !== undefined) ends.push([bytes, "bytes"], [wantedBytes, "wantedBytes"]);
  for (const [from, to] of ends)
    graph.nodes.push(
      ...(() => {
        const before = graph.nodes.length;
        graph.add("Cast", [from], `${to}/cast`, { to: integers.float32 });
        const [node] = graph.nodes.splice(before, 1);
        node.output = [to];
        return [node];
      })(),
    );
  const result = resultShape(spec);
  return modelBytes(graph, {
    name: "dense",
    inputs: [
      plainValue("x", spec.shape),
      ...(following.startsWith("Add") ? [plainValue("residual", result)] : []),
    ],
    outputs: ends.map(([, to]) => plainValue(to, result)),
    metadata: {},
  });
}

const whole = (draw: Draw, dims: number[]) => ({
  data: Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => draw(-300, 300) / 16),
  dims,
});

async function runIn(file: Uint8Array, feeds: Parameters<InferenceSession["run"]>[0], options: object) {
  const session = await InferenceSession.create(file, { backend: "native", ...options });
  try {
    const results = await session.run(feeds);
    return Object.fromEntries(
      Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]),
    );
  } finally {
    await session.release();
  }
}

describe("dense layers in integers in a native session", () => {
  it.each(allVariants.map((variant, i) => [nameOf(variant), variant, i] as const))(
    "%s gives the bits of its definition",
    async (_, variant, i) => {
      const draw = drawFrom(i * 7919 + 1);
      const spec = drawSpec(draw, variant.isConv);
      const file = fileOf(variant, spec, draw);
      const feeds = {
        x: whole(draw, [2, ...spec.shape]),
        ...(variant.following.startsWith("Add") ? { residual: whole(draw, [2, ...resultShape(spec)]) } : {}),
      };
      let first: Record<string, Float32Array> | undefined;
      const [fastest, ...others] = native.availableIsas(); // dense_test.cc has all of them for each shape
      const [other] = others.slice(i % Math.max(1, others.length));
      for (const [at, isa] of [fastest, other ?? fastest].entries()) {
        const threads = 1 + ((i + at) % 2);
        const got = await runIn(file, feeds, { isa, threads });
        first ??= got;
        const what = `${isa}, ${threads} threads`;
        const isGelu = variant.following === "Gelu";
        if (got.y) expect(got.y, what).toEqual(isGelu ? first.y : got.wantedY);
        if (got.y && isGelu)
          got.y.forEach((value, place) => {
            const wanted = got.wantedY[place];
            expect(Math.abs(value - wanted)).toBeLessThanOrEqual(geluError * Math.abs(wanted) + geluFloor);
          });
        if (got.bytes) expect(got.bytes, what).toEqual(isGelu && !got.y ? first.bytes : got.wantedBytes);
      }
    },
  );

  const conv: Variant = { isConv: true, ofBytes: true, following: "", results: "" };
  const square: Spec = {
    shape: [2, 5, 5],
    outputs: 3,
    filter: [3, 3],
    attributes: { kernel_shape: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1], dilations: [1, 1], group: 1 },
  };
  const refusal = async (variant: Variant, spec: Spec, change?: (inputs: string[]) => void) => {
    try {
      const session = await InferenceSession.create(fileOf(variant, spec, drawFrom(1), change), {
        backend: "native",
      });
      await session.release();
      return "it was made";
    } catch (error) {
      expect(error).toBeInstanceOf(LutnnError);
      return (error as Error).message;
    }
  };

  it("are refused where a file breaks a rule", async () => {
    expect(await refusal(conv, square)).toBe("it was made");
    const with_ = (attributes: Spec["attributes"]) => ({
      ...square,
      attributes: { ...square.attributes, ...attributes },
    });
    expect(await refusal(conv, with_({ group: 2 }))).toMatch(
      /DenseConvIntegerOfBytes "made": the attribute group must be 1 \(got 2\)/,
    );
    expect(await refusal(conv, with_({ kernel_shape: [3, 2] }))).toMatch(
      /weights must have the filter of kernel_shape/,
    );
    expect(
      await refusal(conv, square, (inputs) => {
        inputs[2] = inputs[4];
      }),
    ).toMatch(/int8|type/i);
    const matMul = { ...conv, isConv: false };
    expect(await refusal(matMul, { shape: [66312], outputs: 1, filter: [], attributes: {} })).toMatch(
      /inputs of a dense layer must be at most 66311 \(got 66312\)/,
    );
  });

  it("refuse inputs of another shape when they run", async () => {
    const matMul: Variant = { isConv: false, ofBytes: false, following: "", results: "" };
    const spec: Spec = { shape: [7], outputs: 3, filter: [], attributes: {} };
    const session = await InferenceSession.create(fileOf(matMul, spec, drawFrom(2)), { backend: "native" });
    await expect(session.run({ x: { data: new Float32Array(16), dims: [2, 8] } })).rejects.toThrow(
      /7|shape|dimension/,
    );
    await session.release();
  });
});
