import { fromBinary } from "@bufbuild/protobuf";
import { LutnnError } from "../errors";
import { countMessages } from "./countMessages";
import { type ModelProto, ModelProtoSchema } from "./onnx_pb";

/**
 * Nodes, attributes, tensors, lengths and types of a file, at most, all together: those of real ones have five bytes each and more, and of
 * networks of 100,000 nodes there are a million.
 */
const mostParts = (bytes: number): number => Math.min(2 ** 21, 2 ** 17 + Math.floor(bytes / 4));

/**
 * Decodes an ONNX file. Throws LutnnError on bytes that are not one, or only the beginning of one.
 * @param name what the file is called in the error
 */
export function readModel(bytes: Uint8Array, name: string): ModelProto {
  const most = mostParts(bytes.length);
  let model: ModelProto | null;
  try {
    model = countMessages(bytes, ModelProtoSchema, most) > most ? null : fromBinary(ModelProtoSchema, bytes);
  } catch (error) {
    throw new LutnnError(
      `${name}: the file must be a whole ONNX model (${bytes.length} bytes that do not decode: ${(error as Error).message}); it is damaged, cut off or of another format`,
    );
  }
  if (!model)
    throw new LutnnError(
      `${name}: an ONNX model of ${bytes.length.toLocaleString("en")} bytes must have at most ${most.toLocaleString("en")} parts (nodes, attributes, tensors, lengths; this has more); it is damaged, or made to fill memory`,
    );
  const { graph } = model;
  if (!graph || graph.node.length === 0 || graph.output.length === 0 || model.opsetImport.length === 0)
    throw new LutnnError(
      `${name}: the file must be an ONNX model with a graph (${bytes.length} bytes hold none); it is cut off or of another format`,
    );
  return model;
}
