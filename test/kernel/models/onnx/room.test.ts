// Files of a few bytes that ask for gigabytes: refused in a sentence, before anything of that size is made.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { fromOnnx, LutnnError, tf } from "lutnn";
import { describe, expect, it } from "vitest";
import { FoldingRoom, mostNumbers } from "../../../../kernel/lib/models/onnx/room";
import type { TensorArray } from "../../../../kernel/lib/onnx/builder";
import { GraphBuilder } from "../../../../kernel/lib/onnx/graphBuilder";
import { modelBytes } from "../../../../kernel/lib/onnx/model";
import { ModelProtoSchema } from "../../../../kernel/lib/onnx/onnx_pb";
import { plainValue } from "../../inference/lookupFile";
import { watch } from "../../readers/bounds";

type Build = (graph: GraphBuilder) => string;

/** A file of x float32 (N, …lengths) whose output some nodes make. */
function fileOf(lengths: number[], build: Build): Uint8Array {
  const graph = new GraphBuilder();
  graph.name("x");
  const y = build(graph);
  return modelBytes(graph, {
    name: "bomb",
    inputs: [plainValue("x", lengths)],
    outputs: [plainValue(y, lengths)],
    metadata: {},
  });
}

const whole = (graph: GraphBuilder, name: string, ...values: number[]): string =>
  graph.constant(name, BigInt64Array.from(values, BigInt) as TensorArray, [values.length]);
const floats = (graph: GraphBuilder, name: string, dims: number[]): string =>
  graph.constant(name, new Float32Array(dims.reduce((all, one) => all * one, 1)).fill(0.5), dims);

/** x + the constant that some nodes make, over which x is spread. */
const withConstant =
  (make: Build): Build =>
  (graph) =>
    graph.add("Add", ["x", make(graph)], "y");
const window = { kernel_shape: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] };
const conv =
  (attributes: Record<string, number[]>): Build =>
  (graph) =>
    graph.add("Conv", ["x", floats(graph, "w", [2, 2, 3, 3])], "y", { ...window, ...attributes });

const image = [2, 8, 8];
const bombs: Record<string, [number[], Build, RegExp]> = {
  "padding of a convolution": [image, conv({ pads: [1, 1, 30_000, 30_000] }), /Conv "y": what it computes/],
  "an image of many": [[2, 60_000, 60_000], conv({}), /input "x": it must have at most 268,435,456 numbers/],
  "padding and window of max pooling": [
    image,
    (graph) =>
      graph.add("MaxPool", ["x"], "y", {
        kernel_shape: [20_001, 20_001],
        strides: [20_000, 20_000],
        pads: [10_000, 10_000, 10_000, 10_000],
      }),
    /MaxPool "y": what it computes/,
  ],
  "the stride of a transposed convolution": [
    image,
    (graph) =>
      graph.add("ConvTranspose", ["x", floats(graph, "w", [2, 2, 2, 2])], "y", { strides: [9999, 9999] }),
    /ConvTranspose "y": what it computes/,
  ],
  "zeros around": [
    image,
    (graph) => graph.add("Pad", ["x", whole(graph, "pads", 0, 0, 0, 0, 0, 0, 50_000, 50_000)], "y"),
    /Pad "y": what it computes/,
  ],
  "an input that is repeated": [
    [1, 1],
    (graph) => graph.add("Expand", ["x", whole(graph, "shape", 1, 100_000, 100_000)], "y"),
    /Expand "y": what it computes/,
  ],
  "an outer sum": [
    [1, 100_000],
    (graph) => graph.add("Add", ["x", floats(graph, "c", [100_000, 1])], "y"),
    /Add "y": what it computes/,
  ],
  "a constant of a shape": [
    [4],
    withConstant((graph) => graph.add("ConstantOfShape", [whole(graph, "shape", 2 ** 40)], "c")),
    /ConstantOfShape "c": constants that follow from the file's must have at most 268,435,456 numbers/,
  ],
  "a constant of less than nothing": [
    [4],
    withConstant((graph) => graph.add("ConstantOfShape", [whole(graph, "shape", -4)], "c")),
    /lengths must be whole numbers from 0 \(got -4\)/,
  ],
  "a range": [
    [4],
    withConstant((graph) => {
      const ends = [0, 1e12, 1].map((value, i) => graph.constant(`end${i}`, Float32Array.of(value), []));
      return graph.add("Range", ends, "c");
    }),
    /Range "c": constants that follow/,
  ],
  "a range without end": [
    [4],
    withConstant((graph) => {
      const ends = [0, 4, 0].map((value, i) => graph.constant(`end${i}`, Float32Array.of(value), []));
      return graph.add("Range", ends, "c");
    }),
    /lengths must be whole numbers from 0 \(got Infinity\)/,
  ],
  "a constant that is repeated": [
    [4],
    withConstant((graph) =>
      graph.add("Expand", [floats(graph, "a", [1]), whole(graph, "shape", 30_000, 30_000)], "c"),
    ),
    /Expand "c": constants that follow/,
  ],
  "an outer product of constants": [
    [4],
    withConstant((graph) =>
      graph.add("Mul", [floats(graph, "a", [9000, 1]), floats(graph, "b", [1, 9000])], "c"),
    ),
    /Mul "c": constants that follow/,
  ],
  "a choice between constants": [
    [4],
    withConstant((graph) => {
      const which = graph.constant("which", Uint8Array.of(1), []);
      const condition = graph.add("Cast", [which], "condition", { to: 9 });
      return graph.add(
        "Where",
        [condition, floats(graph, "a", [9000, 1]), floats(graph, "b", [1, 9000])],
        "c",
      );
    }),
    /Where "c": constants that follow/,
  ],
  "doubling, again and again": [
    [4],
    withConstant((graph) => {
      let name = floats(graph, "a", [4]);
      for (let i = 0; i < 40; i++) name = graph.add("Concat", [name, name], `c${i}`, { axis: 0 });
      return name;
    }),
    /Concat "c\d+": constants that follow/,
  ],
  "much of little": [
    [4],
    withConstant((graph) => {
      let name = graph.add("ConstantOfShape", [whole(graph, "shape", 100_000)], "c");
      for (let i = 0; i < 100; i++) name = graph.add("Neg", [name], `c${i}`);
      return name;
    }),
    /Neg "c\d+": constants that follow/,
  ],
  "a step of nothing": [
    [4],
    withConstant((graph) =>
      graph.add(
        "Slice",
        [
          floats(graph, "a", [8]),
          whole(graph, "starts", 0),
          whole(graph, "ends", 8),
          whole(graph, "axes", 0),
          whole(graph, "steps", 0),
        ],
        "c",
      ),
    ),
    /Slice "c": steps must not be 0/,
  ],
  "lists that do not fit": [
    [4],
    withConstant((graph) =>
      graph.add("Concat", [floats(graph, "a", [4, 1]), floats(graph, "b", [2, 2])], "c", { axis: 1 }),
    ),
    /Concat "c": inputs must have the same lengths but for the axis .* \(got 4×1 and 2×2\)/,
  ],
  "other lengths of other numbers": [
    [4],
    withConstant((graph) =>
      graph.add("Reshape", [floats(graph, "a", [6]), whole(graph, "shape", 2, 2)], "c"),
    ),
    /Reshape "c": its lengths must be of 6 numbers \(got 2×2\)/,
  ],
  "places that there are not": [
    [4],
    withConstant((graph) => graph.add("Gather", [floats(graph, "a", [4]), whole(graph, "at", 7)], "c")),
    /Gather "c": places must be of its input \(got 7 of 4\)/,
  ],
};

describe("a file of a few bytes that asks for more than there may be", () => {
  it.each(Object.entries(bombs))("by %s is refused", async (_, [lengths, build, sentence]) => {
    const file = fileOf(lengths, build);
    expect(file.length).toBeLessThan(1_000_000);
    const tooMuch = watch();
    const error = await fromOnnx(file).then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(tooMuch()).toBeNull();
    expect(error).toBeInstanceOf(LutnnError);
    expect((error as Error).message).toMatch(sentence);
    expect((error as Error).message).not.toContain("\n");
  });

  it("by the number of its examples is refused", async () => {
    const model = fromBinary(ModelProtoSchema, fileOf([2, 8, 8], conv({})));
    const { value } = model.graph!.input[0].type!;
    if (value.case !== "tensorType") throw new Error("it is a tensor");
    value.value.shape!.dim[0].value = { case: "dimValue", value: 1_000_000_000n };
    await expect(fromOnnx(toBinary(ModelProtoSchema, model))).rejects.toThrow(
      /input "x": it must have at most .* numbers \(got 1,000,000,000×8×8×2\)/,
    );
  });
});

describe("what is large and may be", () => {
  it("is read: constants beside large weights, and one example where three were too many", async () => {
    const room = new FoldingRoom(1_000_000);
    expect([room.has([2 ** 21 + 16_000_000], false), room.has([2 ** 21 + 16_000_001], false)]).toEqual([
      true,
      false,
    ]);
    room.take(8_000_000, false);
    expect([room.has([2 ** 21 + 8_000_000], false), room.has([2 ** 21 + 8_000_001], false)]).toEqual([
      true,
      false,
    ]);
    room.take(600, true); // counts as the file's
    room.add(400);
    expect([room.has([2 ** 21 + 8_016_000], false), room.has([2 ** 21 + 8_016_001], false)]).toEqual([
      true,
      false,
    ]);
    const side = 9_500;
    expect([side ** 2 < mostNumbers, 3 * side ** 2 > mostNumbers]).toEqual([true, true]);
    const network = await fromOnnx(
      fileOf([1, side], (graph) => graph.add("Add", ["x", floats(graph, "c", [side, 1])], "y")),
    );
    expect(network.outputs[0].shape).toEqual([null, side, side]);
    network.dispose();
    tf.disposeVariables();
  });
});
