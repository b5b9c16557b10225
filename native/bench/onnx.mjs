// Just enough of the ONNX file format to hand single layers to ONNX Runtime as baselines.

const varint = (n) => {
  const bytes = [];
  for (let rest = BigInt(n); ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
};
const integer = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field, value) => {
  const data = Buffer.isBuffer(value) ? value : Buffer.from(value);
  return Buffer.concat([varint((field << 3) | 2), varint(data.length), data]);
};
const message = (field, ...parts) => bytes(field, Buffer.concat(parts.flat()));

const types = { Float32Array: 1, Uint8Array: 2, Int8Array: 3, Int32Array: 6 };

/** A constant of the graph. */
export function initializer(name, array, dims) {
  const data = Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  const type = integer(2, types[array.constructor.name]);
  return message(5, ...dims.map((dim) => integer(1, dim)), type, bytes(8, name), bytes(9, data));
}

/** attributes: integers or lists of integers; an operator of ONNX's own where no domain is named */
export function node(operator, inputs, outputs, attributes = {}, domain = "") {
  const encoded = Object.entries(attributes).map(([name, value]) =>
    Array.isArray(value)
      ? message(5, bytes(1, name), ...value.map((n) => integer(8, n)), integer(20, 7))
      : message(5, bytes(1, name), integer(3, value), integer(20, 2)),
  );
  return message(
    1,
    ...inputs.map((name) => bytes(1, name)),
    ...outputs.map((name) => bytes(2, name)),
    bytes(3, outputs[0]),
    bytes(4, operator),
    ...(domain ? [bytes(7, domain)] : []),
    ...encoded,
  );
}

function valueInfo(field, { name, type, dims }) {
  const shape = message(2, ...dims.map((dim) => message(1, integer(1, dim))));
  return message(field, bytes(1, name), message(2, message(1, integer(1, types[type.name]), shape)));
}

/** input, output: { name, type: an array's class, dims }; nodes and initializers as made above, and their other domains */
export function model(parts, input, output, domains = []) {
  const graph = message(7, ...parts, bytes(2, "layer"), valueInfo(11, input), valueInfo(12, output));
  const imports = [["", 17], ...domains.map((domain) => [domain, 1])];
  return Buffer.concat([
    integer(1, 8),
    graph,
    ...imports.map(([domain, version]) => message(8, bytes(1, domain), integer(2, version))),
  ]);
}
