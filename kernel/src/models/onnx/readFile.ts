import { basename } from "node:path";
import { LutnnError } from "../../errors";
import { bringDataIn, folderOf } from "../../onnx/externalData";
import type { ModelProto } from "../../onnx/onnx_pb";
import { readModel } from "../../onnx/readModel";

/** A file with everything that belongs to it. */
export interface OnnxFile {
  /** How errors begin. */
  what: string;
  model: ModelProto;
  /** Whether the model holds what the file had elsewhere. */
  isJoined: boolean;
}

/**
 * Decodes the bytes of a file and brings in what its tensors have in other files.
 * @param path of the file; null when only its bytes are there
 * @param doing opens errors
 */
export function readOnnxFile(bytes: Uint8Array, path: string | null, doing = "fromOnnx"): OnnxFile {
  const what = path === null ? doing : `${doing}: ${basename(path)}`;
  const model = readModel(bytes, what);
  if (model.graph!.node.some(({ opType }) => opType === ""))
    throw new LutnnError(`${what}: every node must name an operator (got one without); the file is damaged`);
  const isJoined = bringDataIn(model, path === null ? null : folderOf(path), what);
  return { what, model, isJoined };
}
