import { fromBinary } from "@bufbuild/protobuf";
import { LutnnError } from "../errors";
import { type ModelProto, ModelProtoSchema } from "./onnx_pb";

/**
 * Decodes an ONNX file. Throws LutnnError on bytes that are not one, or only the beginning of one.
 * @param name what the file is called in the error
 */
export function readModel(bytes: Uint8Array, name: string): ModelProto {
  let model: ModelProto;
  try {
    model = fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new LutnnError(
      `${name}: the file must be a whole ONNX model (${bytes.length} bytes that do not decode: ${(error as Error).message}); it is damaged, cut off or of another format`,
    );
  }
  const { graph } = model;
  if (!graph || graph.node.length === 0 || graph.output.length === 0 || model.opsetImport.length === 0)
    throw new LutnnError(
      `${name}: the file must be an ONNX model with a graph (${bytes.length} bytes hold none); it is cut off or of another format`,
    );
  return model;
}
