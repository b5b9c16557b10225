import { LUTNN_DOMAIN } from "../onnx/builder";
import type { ModelProto } from "../onnx/onnx_pb";
import type { Head } from "../tasks/head";

/** Operators that hand every number on as it is. */
const passing = new Set([
  "Identity",
  "Reshape",
  "Flatten",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
  "Cast",
  "Dropout",
]);

const ends: Record<string, Head["nonlinearity"]> = { Softmax: "softmax", Sigmoid: "sigmoid" };

/** Operators after which outputs are neither probabilities nor plain numbers. */
const nonlinear = new Set([
  "Relu",
  "Clip",
  "Tanh",
  "Elu",
  "Selu",
  "LeakyRelu",
  "PRelu",
  "ThresholdedRelu",
  "HardSigmoid",
  "HardSwish",
  "Softplus",
  "Erf",
  "Softsign",
  "Softplus",
  "ThresholdedRelu",
  "HardSwish",
]);

/** How the first output of a file ends: the operator that set its last nonlinearity. */
export function headOfFile({ graph }: ModelProto): Head {
  const [output] = graph!.output;
  const makers = new Map(graph!.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  let maker = makers.get(output.name);
  while (maker && passing.has(maker.opType)) maker = makers.get(maker.input[0]);
  const isLookup = maker?.domain === LUTNN_DOMAIN;
  const op = isLookup ? (maker!.opType.endsWith("Relu") ? "Relu" : "lookup") : (maker?.opType ?? "input");
  const dims = output.type?.value.case === "tensorType" ? (output.type.value.value.shape?.dim ?? []) : [];
  const lengths = dims.slice(1).map(({ value }) => (value.case === "dimValue" ? Number(value.value) : null));
  const channels = lengths.length === 3 ? 0 : lengths.length - 1;
  const units = lengths.length === 0 ? 1 : lengths[channels];
  const positions = lengths
    .filter((_, axis) => axis !== channels)
    .reduce<number | null>((product, length) => (product && length ? product * length : null), 1);
  const nonlinearity = ends[op] ?? (nonlinear.has(op) ? "other" : "none");
  const activation = nonlinearity === "none" ? "linear" : op.toLowerCase();
  return { nonlinearity, activation, layer: maker?.name || output.name, units, positions };
}
