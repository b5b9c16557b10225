import { createHash } from "node:crypto";
import { clearField, create, toBinary } from "@bufbuild/protobuf";
import {
  TensorProto_DataLocation as Location,
  ModelProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProtoSchema,
} from "./onnx_pb";
import { readModel } from "./readModel";

/** Bytes: smaller constants stay in the file, shapes among them, which runtimes want to know early. */
const leastOutside = 1024;
/** Bytes: where each constant begins, so that microkernels can read it in place. */
const alignment = 64;

/** A file and another one with its large constants. */
export interface SplitFile {
  model: Uint8Array;
  data: Uint8Array;
  /** What the other one is to be called, beside the file: the file's name, the content's hash, `data`. */
  location: string;
}

/** What the files with constants of a file of that name are called. */
export const dataFilesOf = (name: string): RegExp =>
  new RegExp(`^${name.replace(/[^\w]/g, "\\$&")}\\.[0-9a-f]{16}\\.data$`);

/**
 * Puts the large constants of a file that this library wrote into a file of their own, as ONNX's external data; null where it
 * has none. The name says the content, so a file never points at constants of another version of it.
 * @param name of the file
 */
export function splitData(bytes: Uint8Array, name: string): SplitFile | null {
  const model = readModel(bytes, name);
  const large = model.graph!.initializer.filter(({ rawData }) => rawData.length >= leastOutside);
  if (large.length === 0) return null;
  const parts: Uint8Array[] = [];
  const places = new Map<TensorProto, { offset: number; length: number }>();
  let offset = 0;
  for (const tensor of large) {
    const { length } = tensor.rawData;
    const gap = -length & (alignment - 1);
    parts.push(tensor.rawData, new Uint8Array(gap));
    places.set(tensor, { offset, length });
    offset += length + gap;
  }
  const data = Buffer.concat(parts);
  const location = `${name}.${createHash("sha256").update(data).digest("hex").slice(0, 16)}.data`;
  for (const [tensor, place] of places) {
    clearField(tensor, TensorProtoSchema.field.rawData);
    tensor.dataLocation = Location.EXTERNAL;
    tensor.externalData = Object.entries({ location, ...place }).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value: String(value) }),
    );
  }
  return { model: toBinary(ModelProtoSchema, model), data, location };
}
