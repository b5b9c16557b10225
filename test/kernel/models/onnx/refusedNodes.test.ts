// Every refusal of a node of an ONNX file: the rule that it breaks, and what it has instead.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LutnnError } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";
import { importNetwork } from "../../../../kernel/lib/models/onnx/importNetwork";
import { readOnnxFile } from "../../../../kernel/lib/models/onnx/readFile";

/**
 * By its number: a node of input x and output y as Python calls make_node, constants as Python makes arrays of them, the
 * refusal's rule and what it got, x' dims (an image of 4 × 8 × 8 unless said) and the opset (17 unless said).
 */
const cases: [string, Record<string, string>, string, { dims?: string; opset?: number }?][] = [
  // Convolutions.
  [
    "'Conv', ['x', 'w'], ['y']",
    { w: "ones(4, 4, 3, 3, 3)" },
    "it must slide along one or two axes of space (got 3 of them)",
    { dims: "'N', 4, 8, 8, 8" },
  ],
  [
    "'Conv', ['x', 'w'], ['y']",
    { w: "ones(4, 5, 3, 3)" },
    "the weight must have M×4 and the filter's sizes for 4 channels in 1 groups (got 4×5×3×3)",
  ],
  [
    "'Conv', ['x', 'w'], ['y'], group=2",
    { w: "ones(3, 2, 3, 3)" },
    "the weight must have M×2 and the filter's sizes for 4 channels in 2 groups (got 3×2×3×3)",
  ],
  [
    "'ConvTranspose', ['x', 'w'], ['y'], group=2",
    { w: "ones(4, 2, 2, 2)" },
    "no output_shape (got 2 axes of space, 2 groups, pads)",
  ],
  [
    "'ConvTranspose', ['x', 'w'], ['y']",
    { w: "ones(4, 2, 2)" },
    "no output_shape (got 1 axes of space, 1 groups, pads)",
    { dims: "'N', 4, 8" },
  ],
  [
    "'ConvTranspose', ['x', 'w'], ['y'], output_shape=[16, 16]",
    { w: "ones(4, 2, 2, 2)" },
    "(got 2 axes of space, 1 groups, output_shape)",
  ],
  [
    "'ConvTranspose', ['x', 'w'], ['y'], auto_pad='SAME_UPPER'",
    { w: "ones(4, 2, 2, 2)" },
    "(got 2 axes of space, 1 groups, SAME_UPPER)",
  ],
  [
    "'ConvTranspose', ['x', 'w'], ['y'], dilations=[2, 1]",
    { w: "ones(4, 2, 2, 2)" },
    "dilations must be 1 (got 2, 1)",
  ],
  [
    "'ConvTranspose', ['x', 'w'], ['y'], strides=[2, 2], output_padding=[1, 0]",
    { w: "ones(4, 2, 2, 2)" },
    "output_padding must not reach over pads (got output_padding 1, 0 with pads 0, 0, 0, 0)",
  ],
  // Pooling.
  [
    "'MaxPool', ['x'], ['y'], kernel_shape=[2, 2], dilations=[1, 2]",
    {},
    "dilations must be 1, since TensorFlow.js pools with no others (got 1, 2)",
  ],
  [
    "'MaxPool', ['x'], ['y'], kernel_shape=[2, 2], storage_order=1",
    {},
    "it must have one output, the maxima (got the places too)",
  ],
  [
    "'MaxPool', ['x'], ['y', 'places'], kernel_shape=[2, 2]",
    {},
    "it must have one output, the maxima (got the places too)",
  ],
  [
    "'GlobalAveragePool', ['x'], ['y']",
    {},
    "it must pool over one or two axes of space (got 0 of them)",
    { dims: "'N', 4" },
  ],
  // Normalisations.
  [
    "'BatchNormalization', ['x', 'o', 'o', 'o', 'o'], ['y'], training_mode=1",
    { o: "ones(4)" },
    "it must be in inference, with one output (got training_mode 1)",
  ],
  [
    "'BatchNormalization', ['x', 'o', 'o', 'o', 'o'], ['y', 'a', 'b']",
    { o: "ones(4)" },
    "it must be in inference, with one output (got training_mode 0)",
  ],
  [
    "'BatchNormalization', ['x', 'o', 'o', 'o', 'o'], ['y'], spatial=0",
    { o: "ones(4)" },
    "each channel must have one mean, spatial 1 (got 0)",
    { opset: 7 },
  ],
  [
    "'LayerNormalization', ['x', 'o'], ['y'], axis=0",
    { o: "ones(4)" },
    "the axes that are normalised must stand behind the batch (got axis 0)",
  ],
  [
    "'LayerNormalization', ['x', 'o'], ['y'], axis=-2",
    { o: "ones(8)" },
    "scale and bias must have 64 numbers (got 8)",
  ],
  ["'ReduceMean', ['x'], ['y']", {}, "the batch must stay whole (got axes 0, 1, 2, 3 of N×4×8×8)"],
  ["'ReduceMax', ['x'], ['y'], axes=[-4]", {}, "the batch must stay whole (got axes 0 of N×4×8×8)"],
  ["'LayerNormalization', ['x', 'o'], ['y']", { o: "ones(8)" }, "read"],
  [
    "'LayerNormalization', ['x', 'o', 'b'], ['y']",
    { o: "ones(8)", b: "ones(3)" },
    "scale and bias must have 8 numbers (got 8)",
  ],
  // Activations.
  ["'Elu', ['x'], ['y'], alpha=0.5", {}, "alpha must be 1 (got 0.5)"],
  [
    "'PRelu', ['x', 's'], ['y']",
    { s: "ones(2, 1, 1, 1)" },
    "the slope must be the same for all examples (got 2×1×1×1)",
  ],
  ["'Softmax', ['x'], ['y'], axis=0", {}, "the axis must not be the batch (got 0)"],
  ["'Softmax', ['x'], ['y'], axis=0", {}, "the axis must stand behind the batch (got 0)", { opset: 11 }],
  // Matrices.
  [
    "'Gemm', ['x', 'w'], ['y'], transA=1",
    { w: "ones(6, 4)" },
    "A must be a matrix with an example in each row (got transA 1 and N×6)",
    { dims: "'N', 6" },
  ],
  [
    "'Gemm', ['x', 'w'], ['y']",
    { w: "ones(6, 4)" },
    "A must be a matrix with an example in each row (got transA 0 and N×3×6)",
    { dims: "'N', 3, 6" },
  ],
  [
    "'Gemm', ['x', 'w'], ['y']",
    { w: "ones(5, 4)" },
    "B must have 6 rows for what it multiplies (got 5×4)",
    { dims: "'N', 6" },
  ],
  [
    "'Gemm', ['x', 'w'], ['y'], transB=1",
    { w: "ones(4, 5)" },
    "B must have 6 rows for what it multiplies (got 5×4)",
    { dims: "'N', 6" },
  ],
  [
    "'Gemm', ['x', 'w', 'b'], ['y']",
    { w: "ones(6, 4)", b: "ones(3)" },
    "the bias must be a row of 4 numbers (got 3)",
    { dims: "'N', 6" },
  ],
  [
    "'Gemm', ['x', 'w', 'b'], ['y']",
    { w: "ones(6, 4)", b: "ones(4, 1)" },
    "the bias must be a row of 4 numbers (got 4×1)",
    { dims: "'N', 6" },
  ],
  [
    "'MatMul', ['x', 'w'], ['y']",
    { w: "ones(2, 6, 4)" },
    "a constant that values are multiplied by must be one matrix (got 2×6×4)",
    { dims: "'N', 3, 6" },
  ],
  [
    "'MatMul', ['x', 'w'], ['y']",
    { w: "ones(5, 4)" },
    "the matrix must have 6 rows for what it multiplies, N×3×6 (got 5×4)",
    { dims: "'N', 3, 6" },
  ],
  // Arithmetic.
  [
    "'Add', ['x', 'c'], ['y']",
    { c: "ones(5)" },
    "inputs must spread over each other, the batch over itself or 1 (got N×4×8×8 and 5)",
  ],
  ["'Max', ['x', 'c'], ['y']", { c: "ones(4, 1, 1)" }, "constants must be single numbers (got 4×1×1)"],
  ["'Pow', ['x', 'c'], ['y']", { c: "ones(8)" }, "the exponent must be one number (got 8 of them)"],
  // Sizes.
  [
    "'Resize', ['x', '', 's'], ['y'], coordinate_transformation_mode='asymmetric', nearest_mode='floor'",
    { s: "floats(1, 1, 3)" },
    "it must enlarge images (got 3 axes)",
    { dims: "'N', 4, 8" },
  ],
  [
    "'Resize', ['x', '', 's'], ['y'], coordinate_transformation_mode='align_corners'",
    { s: "floats(1, 1, 2, 2)" },
    "(got nearest with align_corners coordinates and round_prefer_floor)",
  ],
  [
    "'Resize', ['x', '', 's'], ['y'], coordinate_transformation_mode='asymmetric'",
    { s: "floats(1, 1, 2, 2)" },
    "(got nearest with asymmetric coordinates and round_prefer_floor)",
  ],
  [
    "'Resize', ['x', '', 's'], ['y'], mode='linear'",
    { s: "floats(1, 1, 2, 2)" },
    "(got linear with half_pixel coordinates)",
  ],
  [
    "'Resize', ['x', '', 's'], ['y']",
    { s: "floats(1, 2, 1, 1)" },
    "height and width must become whole times larger, and nothing else (got 1, 2, 1, 1)",
  ],
  ["'Resize', ['x', '', '', 's'], ['y']", { s: "whole(1, 4, 12, 16)" }, "(got 1, 1, 1.5, 2)"],
  // Numbers and rows.
  ["'Cast', ['x'], ['y'], to=8", {}, "the type must be one of numbers (got STRING)"],
  [
    "'Cast', ['x'], ['y'], to=7",
    {},
    "numbers that are computed must stay float32, or stay whole (got float32 to INT64)",
  ],
  ["'Gather', ['x', 'i'], ['y']", { i: "whole(0)" }, "the batch must stay whole (got axis 0 of N×4×8×8)"],
  [
    "'Gather', ['x', 'i'], ['y'], axis=1",
    { i: "whole(0, 1, 3)" },
    "places must be one, or evenly spaced (got 0, 1, 3)",
  ],
  [
    "'Gather', ['x', 'i'], ['y'], axis=-1",
    { i: "whole(-1, -1)" },
    "places must be one, or evenly spaced (got 7, 7)",
  ],
  [
    "'OneHot', ['x', 'd', 'v'], ['y']",
    { d: "whole(5)", v: "floats(0, 2)" },
    "rows must have zeros and a one, along the last axis (got 0 and 2 along axis -1)",
  ],
  // Shapes.
  ["'Dropout', ['x'], ['y']", {}, "read"],
  ["'Dropout', ['x'], ['y']", {}, "read", { opset: 10 }],
  ["'Slice', ['x', 'a', 'b', 'c'], ['y']", { a: "whole(0)", b: "whole(2**62)", c: "whole(0)" }, "read"],
  [
    "'Slice', ['x', 'a', 'b', 'c'], ['y']",
    { a: "whole(1)", b: "whole(2**31)", c: "whole(0)" },
    "the batch must stay whole (got 1 to 2147483648 of axis 0)",
  ],
  [
    "'Slice', ['x', 'a', 'b', 'c'], ['y']",
    { a: "whole(0)", b: "whole(9)", c: "whole(0)" },
    "the batch must stay whole (got 0 to 9 of axis 0)",
  ],
  [
    "'Slice', ['x', 'a', 'b', 'c', 'd'], ['y']",
    { a: "whole(0)", b: "whole(2**31)", c: "whole(0)", d: "whole(2)" },
    "the batch must stay whole (got 0 to 2147483648 of axis 0)",
  ],
  [
    "'Slice', ['x', 'a', 'b', 'c'], ['y']",
    { a: "whole(0)", b: "whole(2**31)", c: "whole(7)" },
    "the batch must stay whole (got 0 to 2147483648 of axis 7)",
  ],
  ["'Concat', ['x', 'x'], ['y'], axis=0", {}, "the batch must stay whole (got N×4×8×8)"],
  ["'Split', ['x'], ['y', 'z']", {}, "the batch must stay whole (got axis 0)"],
  ["'Flatten', ['x'], ['y'], axis=2", {}, "axis must stand right behind the batch (got 2 of N×4×8×8)"],
  ["'Flatten', ['x'], ['y'], axis=0", {}, "axis must stand right behind the batch (got 0 of N×4×8×8)"],
  ["'Squeeze', ['x', 'a'], ['y']", { a: "whole(-3)" }, "axes must have length 1 (got 1 of N×4×8×8)"],
  [
    "'Expand', ['x', 's'], ['y']",
    { s: "whole(1, 4, 8, 9)" },
    "the shape must fit what is given (got 1×4×8×9 for N×4×8×8)",
  ],
  [
    "'Slice', ['x', 'a', 'a', 'b'], ['y']",
    { a: "whole(5)", b: "whole(2)" },
    "a part must have places (got none of axis 2 of N×4×8×8)",
  ],
  [
    "'Pad', ['x', 'p'], ['y']",
    { p: "whole(1, 0, 0, 0, 0, 0, 0, 2)" },
    "it must put one number around anything but the batch (got mode constant with pads 1, 0, 0, 0, 0, 0, 0, 2)",
  ],
  [
    "'Pad', ['x', 'p'], ['y']",
    { p: "whole(0, 0, 0, -1, 0, 0, 0, 0)" },
    "(got mode constant with pads 0, 0, 0, -1, 0, 0, 0, 0)",
  ],
  [
    "'Tile', ['x', 'r'], ['y']",
    { r: "whole(1, 2, 1, 1)" },
    "only axes of length 1 may be repeated (got 1, 2, 1, 1 for N×4×8×8)",
  ],
  ["'Dropout', ['x'], ['y'], ratio=1.0", {}, "the ratio must be from 0, below 1 (got 1)", { opset: 10 }],
  ["'Dropout', ['x', 'r'], ['y']", { r: "floats(1.5)" }, "the ratio must be from 0, below 1 (got 1.5)"],
  ["'Reshape', ['x', 's'], ['y']", { s: "whole(-1, 256)" }, "read", {}],
  [
    "'Reshape', ['x', 's'], ['y']",
    { s: "whole(-1, 255)" },
    "the shape must have an axis for the batch and 256 numbers for each example (got -1×255)",
  ],
  ["'Reshape', ['x', 's'], ['y']", { s: "whole(4, 0, 8, 8)" }, "256 numbers for each example (got 4×0×8×8)"],
  ["'Conv', ['x'], ['y']", {}, "the weight (input 2) must be given (got none)"],
  [
    "'Relu', ['w'], ['y']",
    { w: "ones(2, 3)" },
    "input 1 must follow from the network's inputs (got the constant w of 2×3)",
  ],
];

const folder = mkdtempSync(join(tmpdir(), "lutnn-refused-"));
afterAll(() => rmSync(folder, { recursive: true }));
const written = cases.map(([node, constants, , { dims = "'N', 4, 8, 8", opset = 17 } = {}], i) => {
  const arrays = Object.entries(constants).map(([name, made]) => `array(${made}, '${name}')`);
  return `write(${i}, helper.make_node(${node}), [${dims}], [${arrays.join(", ")}], ${opset})`;
});
execFileSync(join(import.meta.dirname, "../../../../.venv/bin/python"), [
  "-c",
  `
import sys, numpy as np
from onnx import helper, numpy_helper, save
ones = lambda *dims: np.ones(dims, np.float32)
floats = lambda *values: np.array(values, np.float32)
whole = lambda *values: np.array(values, np.int64)
array = numpy_helper.from_array
def write(number, node, dims, arrays, opset):
    x, y = helper.make_tensor_value_info('x', 1, dims), helper.make_tensor_value_info('y', 1, None)
    graph = helper.make_graph([node], 'g', [x], [y], arrays)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', opset)], ir_version=8), f'{sys.argv[1]}/{number}.onnx')
${written.join("\n")}
`,
  folder,
]);

describe("a node that cannot be read is told with its rule and what it has:", () => {
  it.each(cases.map(([node, , told], i) => [node, told, i] as const))("%s: %s", (node, told, i) => {
    const read = () =>
      importNetwork(readOnnxFile(readFileSync(join(folder, `${i}.onnx`)), null).model, "fromOnnx");
    if (told === "read") return void read();
    let said: unknown;
    try {
      read();
    } catch (error) {
      said = error;
    }
    expect(said).toMatchObject({ name: new LutnnError("").name, message: expect.stringContaining(told) });
    const [, opType] = /^'(\w+)'/.exec(node)!;
    expect((said as Error).message).toContain(`: ${opType} `);
  });
});
