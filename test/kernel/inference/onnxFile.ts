import { create, toBinary } from "@bufbuild/protobuf";
import { node } from "../../../kernel/lib/onnx/builder";
import {
  ModelProtoSchema,
  type NodeProto,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from "../../../kernel/lib/onnx/onnx_pb";

/** Element types by ONNX's numbers. */
export const elementTypes = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
};

interface Value {
  name: string;
  type: keyof typeof elementTypes;
  dims: (number | string)[];
}

const declared = ({ name, type, dims }: Value): ValueInfoProto =>
  create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: "tensorType",
        value: {
          elemType: elementTypes[type],
          shape: {
            dim: dims.map((length) => ({
              value:
                typeof length === "string"
                  ? { case: "dimParam" as const, value: length }
                  : { case: "dimValue" as const, value: BigInt(length) },
            })),
          },
        },
      },
    },
  });

/** The bytes of an ONNX file made by hand. */
export function onnxFile(inputs: Value[], outputs: Value[], nodes: NodeProto[]): Uint8Array {
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: 8n,
      opsetImport: [{ domain: "", version: 17n }],
      graph: {
        name: "made by hand",
        input: inputs.map(declared),
        output: outputs.map(declared),
        node: nodes,
      },
    }),
  );
}

/** A file that hands its inputs on as they are. */
export function identityFile(values: Value[]): Uint8Array {
  return onnxFile(
    values,
    values.map((value) => ({ ...value, name: `${value.name} again` })),
    values.map(({ name }) => node("Identity", [name], [`${name} again`])),
  );
}
