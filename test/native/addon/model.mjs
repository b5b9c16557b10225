// A small file for sessions: y = Relu(LutMatMul(x)) in standard form, x float32 (batch, 6).
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const room = join(import.meta.dirname, "../../../kernel/lib");
const { GraphBuilder } = require(join(room, "onnx/graphBuilder.js"));
const { modelBytes } = require(join(room, "onnx/model.js"));
const { plainOrder } = require(join(room, "onnx/layout.js"));
const { LUTNN_DOMAIN } = require(join(room, "onnx/builder.js"));

export const inputLength = 6;
const [C, K, V, M] = [2, 16, 3, 5];

/** The file's bytes. */
export function smallModel() {
  const graph = new GraphBuilder();
  for (const name of ["x", "y"]) graph.name(name);
  const value = (name, length) => ({ name, shape: [length], order: plainOrder(2), type: "float32" });
  const inputs = [
    "x",
    graph.constant(
      "centroids",
      Float32Array.from({ length: C * K * V }, (_, i) => Math.sin(i)),
      [C, K, V],
    ),
    graph.constant(
      "table",
      Int8Array.from({ length: C * K * M }, (_, i) => i * 37),
      [C, K, M],
    ),
    graph.constant("scale", new Float32Array(M).fill(0.5), [M]),
    graph.constant("bias", new Float32Array(M).fill(0.25), [M]),
  ];
  const made = graph.add("LutMatMul", inputs, "lookup", {}, LUTNN_DOMAIN);
  graph.rename(new Map([[made, "y"]]));
  const bytes = modelBytes(graph, {
    name: "small",
    inputs: [value("x", inputLength)],
    outputs: [value("y", M)],
    metadata: {},
  });
  return new Uint8Array(bytes);
}
