import { LutnnError } from "../../errors";
import { imageOrder, plainOrder } from "../../onnx/layout";
import {
  TensorProto_DataType as DataType,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type ValueInfoProto,
} from "../../onnx/onnx_pb";
import { dataTypeName } from "./readTensor";

/** An input of the file as the network is to have it. */
export interface FileInput {
  name: string;
  /** After the batch, in the network's order; null where the file leaves a length open. */
  lengths: (number | null)[];
  /** Which axis of the network's input each axis of the file's holds. */
  order: number[];
  dtype: "float32" | "int32";
  /** The batch length that the file is fixed to; null where it is free. */
  batch: number | null;
}

/** What of an operator's input is the channels: axis 1 of its first. */
const ofChannels = new Set([
  ...["Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"],
  ...["BatchNormalization", "InstanceNormalization", "Resize", "Upsample"],
]);

/** Operators that leave all axes as they are. */
const passing = new Set([
  ...["Add", "Sub", "Mul", "Div", "Cast", "Identity", "Pad", "Slice", "Clip", "Dropout", "Relu", "LeakyRelu"],
  ...["Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Elu", "Neg", "Abs", "Sqrt", "Pow", "Concat", "Swish"],
]);

/**
 * Which axis of a file's image holds the channels: by its readers, those nearest first, through operators that leave axes
 * as they are or put them in another order. Null when none of them says.
 */
function channelAxis(nodes: readonly NodeProto[], input: string): number | null {
  const readers = new Map<string, NodeProto[]>();
  for (const node of nodes)
    for (const name of node.input) readers.set(name, [...(readers.get(name) ?? []), node]);
  const seen = new Set<string>([input]);
  let ring: { name: string; perm: number[] }[] = [{ name: input, perm: plainOrder(4) }];
  while (ring.length > 0) {
    const next: typeof ring = [];
    for (const { name, perm } of ring)
      for (const node of readers.get(name) ?? []) {
        if (ofChannels.has(node.opType) && node.input[0] === name) return perm[1];
        const order =
          node.opType === "Transpose"
            ? (node.attribute.find((one) => one.name === "perm")?.ints.map(Number) ?? [3, 2, 1, 0])
            : passing.has(node.opType)
              ? plainOrder(4)
              : null;
        const [output] = node.output;
        if (order?.length !== 4 || seen.has(output)) continue;
        seen.add(output);
        next.push({ name: output, perm: order.map((axis) => perm[axis]) });
      }
    ring = next;
  }
  return null;
}

/** Which axis of the network's input each axis of the file's holds: images have their channels last, the rest stays. */
function orderOf(model: ModelProto, { name }: ValueInfoProto, rank: number): number[] {
  if (rank !== 4) return plainOrder(rank);
  // What this library writes has its images channels first, whether or not a layer says so.
  if (model.producerName === "lutnn") return imageOrder(4, "channelsLast");
  const channels = channelAxis(model.graph!.node, name);
  if (channels === null || channels === 0) return plainOrder(4);
  const others = [1, 2, 3].filter((axis) => axis !== channels);
  return [0, ...[1, 2, 3].map((axis) => (axis === channels ? 3 : others.indexOf(axis) + 1))];
}

const dtypes: Partial<Record<number, "float32" | "int32">> = {
  [DataType.FLOAT]: "float32",
  [DataType.INT32]: "int32",
  [DataType.INT64]: "int32",
};

/** The lengths that a file declares, null for those that it leaves open; null altogether where it says nothing. */
function declared(info: ValueInfoProto): (number | null)[] | null {
  if (info.type?.value.case !== "tensorType") return null;
  const dims = info.type.value.value.shape?.dim;
  return (
    dims?.map(({ value }) => (value.case === "dimValue" && value.value > 0n ? Number(value.value) : null)) ??
    null
  );
}

/** The inputs of a file that are no weights. */
export const inputsOf = (graph: GraphProto): ValueInfoProto[] => {
  const weights = new Set(graph.initializer.map(({ name }) => name));
  return graph.input.filter(({ name }) => !weights.has(name));
};

/** Reads what a file says of an input. @param given `inputShape` for it, after the batch, in the network's order */
export function fileInput(
  model: ModelProto,
  info: ValueInfoProto,
  given: readonly (number | null)[] | undefined,
  file: string,
): FileInput {
  const { name } = info;
  const what = `${file}: input ${JSON.stringify(name)}`;
  const dims = declared(info) ?? (given ? [null, ...given.map(() => null)] : null);
  if (!dims)
    throw new LutnnError(
      `${what}: its lengths must be known (the file says none); give inputShape, without the batch`,
    );
  const elemType = info.type?.value.case === "tensorType" ? info.type.value.value.elemType : 0;
  const dtype = dtypes[elemType];
  if (!dtype)
    throw new LutnnError(
      `${what}: its numbers must be float32, int32 or int64 (got ${dataTypeName(elemType)}); export the network with such inputs`,
    );
  if (dims.length < 2)
    throw new LutnnError(
      `${what}: it must have an axis for the batch and another (got ${dims.length}); export the network with a batch`,
    );
  const order = orderOf(model, info, dims.length);
  const own: (number | null)[] = [];
  order.forEach((axis, i) => {
    if (axis > 0) own[axis - 1] = dims[i];
  });
  const axes = own.length === 3 && order[1] === 3 ? "height, width, channels" : "in the file's order";
  const text = (lengths: readonly (number | null)[]) => `[${lengths.map((one) => one ?? "?").join(", ")}]`;
  const fits =
    !given ||
    (given.length === own.length &&
      own.every((length, i) => length === null || given[i] === null || given[i] === length));
  if (!fits)
    throw new LutnnError(
      `${what}: inputShape must fit what the file says, ${text(own)} (${axes}, without the batch) (got ${text(given)})`,
    );
  const lengths = own.map((length, i) => length ?? given?.[i] ?? null);
  if (lengths.some((length) => length === null || !(Number.isInteger(length) && length > 0)))
    throw new LutnnError(
      `${what}: all lengths but the batch must be known, and whole (got ${text(lengths)}, ${axes}); give inputShape, such as ${text(lengths.map((length) => length ?? 64))}`,
    );
  return { name, lengths, order, dtype, batch: dims[0] };
}
