import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { attentionFunctions } from "./attentionFunction";
import {
  DataType,
  LUTNN_DOMAIN,
  LUTNN_DOMAIN_VERSION,
  ONNX_IR_VERSION,
  ONNX_OPSET,
  valueInfo,
} from "./builder";
import { codesFunctions } from "./codesFunctions";
import { type GraphBuilder, type GraphValue, lengthsOf } from "./graphBuilder";
import { inlineFunctions } from "./inlineFunctions";
import { layerNormFunctions } from "./layerNormFunctions";
import { linearFunctions } from "./linearFunctions";
import { MAX_POOL_OF_BYTES, maxPoolOfBytesFunction } from "./maxPoolFunction";
import { GraphProtoSchema, ModelProtoSchema, type TensorProto, TensorProtoSchema } from "./onnx_pb";

const declared = (value: GraphValue) =>
  valueInfo(value.name, ["N", ...lengthsOf(value)], value.type === "int32" ? DataType.INT32 : DataType.FLOAT);

/** This package's version, which a file says that it was written by. */
export const libraryVersion = (): string =>
  (JSON.parse(readFileSync(join(__dirname, "../../package.json"), "utf8")) as { version: string }).version;

/**
 * How replaced layers stand in a file: as calls of functions that the file defines, which our session runs natively and
 * ONNX Runtime as they stand; or as the functions' own nodes, for runtimes that know no functions of a file (OpenVINO).
 */
export type FunctionForm = "local" | "inlined";

/** What stands in a file beside its nodes and constants. */
export interface FileFrame {
  name: string;
  inputs: readonly GraphValue[];
  outputs: readonly GraphValue[];
  /** `metadata_props`: keys and what they say. */
  metadata: Readonly<Record<string, string>>;
  /** Default "local". */
  functions?: FunctionForm;
}

/** The bytes of a file with a finished graph, and the bodies of our functions that it calls. */
export function modelBytes(graph: GraphBuilder, file: FileFrame): Uint8Array {
  const { name, inputs, outputs, metadata } = file;
  const ours = graph.nodes.filter(({ domain }) => domain === LUTNN_DOMAIN);
  const operators = new Set(ours.map(({ opType }) => opType));
  const called = [
    ...codesFunctions(operators),
    ...linearFunctions(operators),
    ...attentionFunctions(operators),
    ...layerNormFunctions(operators),
    ...(operators.has(MAX_POOL_OF_BYTES) ? [maxPoolOfBytesFunction()] : []),
  ];
  const isInlined = file.functions === "inlined";
  const functions = isInlined ? [] : called;
  const frame = create(ModelProtoSchema, {
    irVersion: BigInt(ONNX_IR_VERSION),
    producerName: "lutnn",
    producerVersion: libraryVersion(),
    opsetImport: [
      { domain: "", version: BigInt(ONNX_OPSET) },
      ...(functions.length > 0 ? [{ domain: LUTNN_DOMAIN, version: BigInt(LUTNN_DOMAIN_VERSION) }] : []),
    ],
    functions,
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
  });
  const body = create(GraphProtoSchema, {
    name,
    node: isInlined ? inlineFunctions(graph.nodes, called, (wanted) => graph.name(wanted)) : graph.nodes,
    input: inputs.map(declared),
    output: outputs.map(declared),
  });
  // What joined nodes have taken into themselves is read by none any more.
  const read = new Set([...body.node.flatMap(({ input }) => input), ...outputs.map(({ name }) => name)]);
  const constants = graph.constants.filter((constant) => read.has(constant.name));
  return Buffer.concat([
    toBinary(ModelProtoSchema, frame),
    ...field(ModelProtoSchema.field.graph, [
      toBinary(GraphProtoSchema, body),
      ...constants.flatMap((constant) => field(GraphProtoSchema.field.initializer, tensorParts(constant))),
    ]),
  ]);
}

/** A tag and a length, then some bytes: how protobuf writes a field that holds a message or bytes. */
function field({ number }: { number: number }, parts: readonly Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(length).finish();
  return [head, ...parts];
}

/** A constant as protobuf writes it, its numbers where they lie: they are most of a file, and nothing copies them before. */
function tensorParts({ rawData, ...rest }: TensorProto): Uint8Array[] {
  const head = toBinary(TensorProtoSchema, { ...rest, rawData: new Uint8Array() });
  return [head, ...field(TensorProtoSchema.field.rawData, [rawData])];
}
