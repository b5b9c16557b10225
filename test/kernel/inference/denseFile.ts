import { LUTNN_DOMAIN } from "../../../kernel/lib/onnx/builder";
import type { GraphBuilder } from "../../../kernel/lib/onnx/graphBuilder";
import type { Draw } from "./lookupFile";

/** A dense layer's node in INT8: of a convolution's `kernel` with padding and steps, or of a matrix product. */
export interface DenseSpec {
  /** With what follows it: "", "Relu", "AddRelu" … */
  suffix: string;
  channels: number;
  outputs: number;
  /** Attributes of a convolution. */
  window?: { kernel_shape: number[]; strides: number[]; pads: number[]; dilations: number[] };
}

const any = (draw: Draw, count: number): Int8Array =>
  Int8Array.from({ length: count }, () => draw(-127, 127));

/** Adds such a node to a graph: any weights, scales and bytes. */
export function addDense(
  graph: GraphBuilder,
  { suffix, channels, outputs, window }: DenseSpec,
  x: string,
  name: string,
  draw: Draw,
  residual?: string,
): string {
  const dims = window ? [outputs, channels, ...window.kernel_shape] : [channels, outputs];
  const size = dims.reduce((product, length) => product * length, 1);
  const floats = (least: number, most: number, by: number) =>
    Float32Array.from({ length: outputs }, () => draw(least, most) / by);
  const inputs = [
    x,
    graph.constant(`${name}/inputScale`, Float32Array.of(draw(1, 9) / 64), []),
    graph.constant(`${name}/inputZeroPoint`, Uint8Array.of(draw(0, 2) * 127), []),
    graph.constant(`${name}/weights`, any(draw, size), dims),
    graph.constant(`${name}/scale`, floats(1, 99, 1e5), [outputs]),
    graph.constant(`${name}/bias`, floats(-99, 99, 70), [outputs]),
    ...(residual === undefined ? [] : [residual]),
  ];
  const operator = `Dense${window ? "Conv" : "MatMul"}Integer${suffix}`;
  return graph.add(operator, inputs, name, window ? { ...window, group: 1 } : {}, LUTNN_DOMAIN);
}
