// What is computed of constants while a file is read, against ONNX Runtime: `fromOnnx` compares every value with it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromOnnx } from "lutnn";
import { afterAll, describe, expect, it } from "vitest";

/** Nodes that make `c` of constants, as Python calls make_node; the constants; the dims of c. The network is x + c. */
const cases: [string, string[], Record<string, string>, number[]][] = [
  [
    "Abs, Neg, Sqrt",
    ["'Abs', ['a'], ['b']", "'Sqrt', ['b'], ['d']", "'Neg', ['d'], ['c']"],
    { a: "floats(-4, 2, 0)" },
    [3],
  ],
  [
    "Ceil and Floor",
    ["'Ceil', ['a'], ['b']", "'Floor', ['a'], ['d']", "'Concat', ['b', 'd'], ['c'], axis=0"],
    { a: "floats(-1.5, 2.25)" },
    [4],
  ],
  [
    "Exp and Reciprocal",
    ["'Exp', ['a'], ['b']", "'Reciprocal', ['b'], ['c']"],
    { a: "floats(-1, 0, 0.5)" },
    [3],
  ],
  [
    "And, Not",
    ["'And', ['a', 'b'], ['d']", "'Not', ['d'], ['c']"],
    { a: "truths(1, 0, 1, 0)", b: "truths(1, 1, 0, 0)" },
    [4],
  ],
  ["Equal", ["'Equal', ['a', 'b'], ['c']"], { a: "whole(1, 2, 3)", b: "whole(1, 5, 3)" }, [3]],
  ["Greater", ["'Greater', ['a', 'b'], ['c']"], { a: "whole(1, 2, 3)", b: "whole(2, 2, 2)" }, [3]],
  ["Less", ["'Less', ['a', 'b'], ['c']"], { a: "whole(1, 2, 3)", b: "whole(2, 2, 2)" }, [3]],
  [
    "Max of Min",
    ["'Min', ['a', 'b'], ['d']", "'Max', ['d', 'e'], ['c']"],
    { a: "floats(1, 5, 3)", b: "floats(2, 2, 2)", e: "floats(1.5)" },
    [3],
  ],
  [
    "Mod, with the divisor's sign",
    ["'Mod', ['a', 'b'], ['c']"],
    { a: "whole(-7, 7, -7, 7)", b: "whole(3, 3, -3, -3)" },
    [4],
  ],
  ["Pow", ["'Pow', ['a', 'b'], ['c']"], { a: "floats(2, 3)", b: "floats(3, 0.5)" }, [2]],
  [
    "Sub and Add, spread",
    ["'Sub', ['a', 'b'], ['d']", "'Add', ['d', 'e'], ['c']"],
    { a: "floats(1, 2, 3)", b: "floats(4, 5).reshape(2, 1)", e: "floats(10)" },
    [2, 3],
  ],
  [
    "Mul and Div of fractions",
    ["'Mul', ['a', 'b'], ['d']", "'Div', ['d', 'e'], ['c']"],
    { a: "floats(1, 2, 3)", b: "floats(4)", e: "floats(8, 3, 5)" },
    [3],
  ],
  [
    "Div of whole numbers, towards zero",
    ["'Div', ['a', 'b'], ['c']"],
    { a: "whole(-7, 7, 9)", b: "whole(2, 2, 3)" },
    [3],
  ],
  ["Cast to whole numbers, towards zero", ["'Cast', ['a'], ['c'], to=7"], { a: "floats(-1.5, 2.75)" }, [2]],
  ["Cast to truths", ["'Cast', ['a'], ['c'], to=9"], { a: "floats(-1.5, 0, 0.25)" }, [3]],
  [
    "Concat along the last axis",
    ["'Concat', ['a', 'b'], ['c'], axis=-1"],
    { a: "floats(1, 2, 3, 4).reshape(2, 2)", b: "floats(5, 6).reshape(2, 1)" },
    [2, 3],
  ],
  [
    "Concat along the first axis",
    ["'Concat', ['a', 'b'], ['c'], axis=0"],
    { a: "floats(1, 2, 3, 4).reshape(2, 2)", b: "floats(5, 6).reshape(1, 2)" },
    [3, 2],
  ],
  [
    "Gather along the first axis, unless said",
    ["'Gather', ['a', 'i'], ['c']"],
    { a: "floats(1, 2, 3, 4, 5, 6).reshape(3, 2)", i: "whole(2, 0)" },
    [2, 2],
  ],
  [
    "Gather along another, from the end",
    ["'Gather', ['a', 'i'], ['c'], axis=1"],
    { a: "floats(1, 2, 3, 4, 5, 6).reshape(2, 3)", i: "whole(-1, 0, 0, 1).reshape(2, 2)" },
    [2, 2, 2],
  ],
  [
    "Reshape",
    ["'Reshape', ['a', 's'], ['c']"],
    { a: "floats(1, 2, 3, 4, 5, 6, 7, 8).reshape(2, 4)", s: "whole(0, -1, 2)" },
    [2, 2, 2],
  ],
  ["Transpose", ["'Transpose', ['a'], ['c']"], { a: "floats(1, 2, 3, 4, 5, 6).reshape(2, 3)" }, [3, 2]],
  [
    "Transpose as it says",
    ["'Transpose', ['a'], ['c'], perm=[1, 2, 0]"],
    { a: "np.arange(12, dtype=np.float32).reshape(2, 3, 2)" },
    [3, 2, 2],
  ],
  ["Expand", ["'Expand', ['a', 's'], ['c']"], { a: "floats(1, 2).reshape(2, 1)", s: "whole(2, 3)" }, [2, 3]],
  [
    "Slice",
    ["'Slice', ['a', 'f', 't', 'x1'], ['c']"],
    { a: "np.arange(12, dtype=np.float32).reshape(3, 4)", f: "whole(1)", t: "whole(-1)", x1: "whole(1)" },
    [3, 2],
  ],
  [
    "Slice backwards, in steps",
    ["'Slice', ['a', 'f', 't', 'x1', 'st'], ['c']"],
    { a: "np.arange(7, dtype=np.float32)", f: "whole(-1)", t: "whole(-99)", x1: "whole(0)", st: "whole(-3)" },
    [3],
  ],
  [
    "Squeeze of all, and Unsqueeze",
    ["'Squeeze', ['a'], ['d']", "'Unsqueeze', ['d', 'x1'], ['c']"],
    { a: "floats(1, 2).reshape(1, 2, 1)", x1: "whole(0, -1)" },
    [1, 2, 1],
  ],
  [
    "Squeeze of one",
    ["'Squeeze', ['a', 'x1'], ['c']"],
    { a: "floats(1, 2).reshape(1, 2, 1)", x1: "whole(-1)" },
    [1, 2],
  ],
  ["ConstantOfShape", ["'ConstantOfShape', ['s'], ['c']"], { s: "whole(2, 3)" }, [2, 3]],
  [
    "ConstantOfShape of a number",
    ["'ConstantOfShape', ['s'], ['c'], value=array(whole(7), 'v')"],
    { s: "whole(2)" },
    [2],
  ],
  [
    "Range",
    ["'Range', ['f', 't', 's'], ['c']"],
    { f: "np.array(1)", t: "np.array(8)", s: "np.array(3)" },
    [3],
  ],
  [
    "Range downwards",
    ["'Range', ['f', 't', 's'], ['c']"],
    { f: "np.array(5)", t: "np.array(0)", s: "np.array(-2)" },
    [3],
  ],
  [
    "Where, spread",
    ["'Where', ['w', 'a', 'b'], ['c']"],
    { w: "truths(1, 0, 1)", a: "floats(1, 2).reshape(2, 1)", b: "floats(7, 8, 9)" },
    [2, 3],
  ],
  ["ReduceProd", ["'ReduceProd', ['a'], ['c']"], { a: "whole(2, 3, 4)" }, [1]],
  [
    "ReduceProd without its axis",
    ["'ReduceProd', ['a'], ['d'], keepdims=0", "'Unsqueeze', ['d', 'x1'], ['c']"],
    { a: "whole(2, 3, 4)", x1: "whole(0)" },
    [1],
  ],
  ["Constant of whole numbers", ["'Constant', [], ['c'], value_ints=[3, 4]"], {}, [2]],
  ["Constant of fractions", ["'Constant', [], ['c'], value_floats=[0.5, 4.0]"], {}, [2]],
  [
    "Constants of one number",
    [
      "'Constant', [], ['a'], value_int=3",
      "'Constant', [], ['b'], value_float=0.25",
      "'Cast', ['a'], ['d'], to=1",
      "'Add', ['d', 'b'], ['c']",
    ],
    {},
    [],
  ],
  [
    "Shape of some axes",
    ["'Shape', ['a'], ['c'], start=1, end=-1"],
    { a: "np.zeros((2, 3, 5, 7), np.float32)" },
    [2],
  ],
  [
    "lengths of what follows from the input",
    ["'Shape', ['x'], ['a']", "'Gather', ['a', 'i'], ['b']", "'Sub', ['b', 'd'], ['c']"],
    { i: "whole(1, 2)", d: "whole(2, 1)" },
    [2],
  ],
];

const folder = mkdtempSync(join(tmpdir(), "lutnn-folds-"));
afterAll(() => rmSync(folder, { recursive: true }));
const written = cases.map(([, nodes, constants, dims], i) => {
  const made = nodes.map((node) => `helper.make_node(${node})`).join(", ");
  const arrays = Object.entries(constants).map(([name, array]) => `array(${array}, '${name}')`);
  return `write(${i}, [${made}], [${arrays.join(", ")}], [${dims.join(", ")}])`;
});
execFileSync(join(import.meta.dirname, "../../../../.venv/bin/python"), [
  "-c",
  `
import sys, numpy as np
from onnx import helper, numpy_helper, save
floats = lambda *values: np.array(values, np.float32)
whole = lambda *values: np.array(values, np.int64)
truths = lambda *values: np.array(values, bool)
array = numpy_helper.from_array
def write(number, nodes, arrays, dims):
    dims = ['N'] + (dims if len(dims) > 1 else [4] + dims)
    x, y = helper.make_tensor_value_info('x', 1, dims), helper.make_tensor_value_info('y', 1, None)
    ends = [helper.make_node('Cast', ['c'], ['number'], to=1), helper.make_node('Add', ['x', 'number'], ['y'])]
    graph = helper.make_graph(nodes + ends, 'g', [x], [y], arrays)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8), f'{sys.argv[1]}/{number}.onnx')
${written.join("\n")}
`,
  folder,
]);

describe("constants are computed as ONNX Runtime computes them:", () => {
  it.each(cases.map(([name], i) => [name, i] as const))("%s", async (_, i) => {
    const network = await fromOnnx(join(folder, `${i}.onnx`));
    expect(network.layers.length).toBeGreaterThan(1);
    network.dispose();
  });
});
