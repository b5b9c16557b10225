// Files with something wrong in a node of ours, or in what reaches it: attributes, constants, inputs, names, declared shapes.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const room = join(import.meta.dirname, "../../../kernel/lib");
const { toBinary } = require("@bufbuild/protobuf");
const { readModel } = require(join(room, "onnx/readModel.js"));
const { ModelProtoSchema } = require(join(room, "onnx/onnx_pb.js"));
const { LUTNN_DOMAIN } = require(join(room, "onnx/builder.js"));
const { seededRandom } = require(join(room, "pq/random.js"));

const awkward = [
  0n,
  1n,
  -1n,
  2n,
  3n,
  7n,
  64n,
  1n << 20n,
  (1n << 31n) - 1n,
  1n << 31n,
  1n << 40n,
  (1n << 63n) - 1n,
  -(1n << 63n),
];
const floats = [Number.NaN, Number.POSITIVE_INFINITY, -1, 0, 1e-45, 3e38];

/** The file with one to three faults; always the same for a seed. */
export function spoilt(bytes, seed) {
  const random = seededRandom(seed, "spoil");
  const below = (count) => Math.floor(random() * count);
  const oneOf = (list) => list[below(list.length)];
  const model = readModel(bytes, "seed");
  const { graph } = model;
  const ours = graph.node.filter(({ domain }) => domain === LUTNN_DOMAIN);
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const operators = [...new Set(ours.map(({ opType }) => opType))];

  const attribute = (node) => {
    if (node.attribute.length === 0) return;
    const chosen = oneOf(node.attribute);
    const change = below(6);
    if (change === 0) node.attribute.splice(node.attribute.indexOf(chosen), 1);
    else if (change === 1) chosen.type = below(12);
    else if (change === 2) chosen.name = oneOf(["", "pads", "strides", "axis", "x".repeat(300)]);
    else if (chosen.ints.length > 0 && change === 3) chosen.ints.push(oneOf(awkward));
    else if (chosen.ints.length > 0 && change === 4) chosen.ints.pop();
    else if (chosen.ints.length > 0) chosen.ints[below(chosen.ints.length)] = oneOf(awkward);
    else chosen.i = oneOf(awkward);
  };

  const constant = (node) => {
    const held = node.input.map((name) => constants.get(name)).filter(Boolean);
    if (held.length === 0) return;
    const tensor = oneOf(held);
    const { dims } = tensor;
    const at = below(dims.length);
    const change = below(9);
    if (change === 0 && dims.length > 0) dims[at] = oneOf(awkward);
    else if (change === 1) dims.reverse();
    else if (change === 2) dims.push(1n);
    else if (change === 3) dims.pop();
    else if (change === 4) tensor.dataType = below(17);
    else if (change === 5) tensor.rawData = tensor.rawData.subarray(0, below(tensor.rawData.length + 1));
    else if (change === 6 && dims.length > 0) {
      // shorter or longer by whole rows, its bytes with it: a tensor that is right by itself
      const each = tensor.rawData.length / Math.max(1, Number(dims[at]));
      const count = below(2 * Number(dims[at]) + 2);
      dims[at] = BigInt(count);
      const made = Buffer.alloc(Math.round(each * count));
      for (let i = 0; i < made.length; i++)
        made[i] = tensor.rawData[i % Math.max(1, tensor.rawData.length)] ?? 0;
      tensor.rawData = made;
    } else if (change === 7 && tensor.dataType === 1 && tensor.rawData.length >= 4) {
      const made = Buffer.from(tensor.rawData);
      made.writeFloatLE(oneOf(floats), 4 * below(made.length / 4));
      tensor.rawData = made;
    } else {
      const made = Buffer.from(tensor.rawData);
      for (let i = 0; i < made.length; i++) made[i] = below(256);
      tensor.rawData = made;
    }
  };

  const input = (node) => {
    const at = below(node.input.length);
    const change = below(6);
    const names = [
      ...graph.node.flatMap(({ output }) => output),
      ...constants.keys(),
      ...graph.input.map(({ name }) => name),
    ];
    if (change === 0) node.input.splice(at, 1);
    else if (change === 1) node.input[at] = "";
    else if (change === 2) node.input.push(oneOf(names));
    else if (change === 3) [node.input[at], node.input[0]] = [node.input[0], node.input[at]];
    else node.input[at] = oneOf(change === 4 ? names : [...constants.keys()]);
  };

  const operator = (node) => {
    node.opType = oneOf(operators);
  };

  const output = (node) => {
    if (below(2) === 0) node.output.push(`more${below(99)}`);
    else node.output.splice(0, 1, ...(below(2) === 0 ? [] : [node.output[0], "second"]));
  };

  const declared = () => {
    const value = oneOf([...graph.input, ...graph.output]);
    const tensor = value.type?.value?.value;
    if (!tensor?.shape) return;
    const { dim } = tensor.shape;
    const change = below(5);
    if (change === 0) tensor.elemType = below(17);
    else if (change === 1) dim.pop();
    else if (change === 2 && dim.length > 0) dim.push(dim[0]);
    else if (dim.length > 0)
      oneOf(dim).value =
        below(2) === 0 ? { case: "dimParam", value: "any" } : { case: "dimValue", value: oneOf(awkward) };
  };

  const faults = [attribute, constant, constant, constant, input, input, operator, output, declared];
  for (let count = 1 + below(3); count > 0; count--) oneOf(faults)(oneOf(ours));
  return toBinary(ModelProtoSchema, model);
}
