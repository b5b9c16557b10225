import { readFile } from "node:fs/promises";
import { create, toBinary } from "@bufbuild/protobuf";
import type * as tf from "@tensorflow/tfjs-node";
import { LutnnError } from "../errors";
import { type ImportOptions, importNetwork } from "../models/onnx/importNetwork";
import { type OnnxFile, readOnnxFile } from "../models/onnx/readFile";
import { ModelProtoSchema, ValueInfoProtoSchema } from "../onnx/onnx_pb";
import { comparedNames, compareWithFile } from "./compareWithFile";

export interface FromOnnxOptions extends ImportOptions {
  /** false: the network is not compared with what ONNX Runtime makes of the file. Default true. */
  check?: boolean;
}

async function bytesOf(file: string): Promise<Uint8Array> {
  return readFile(file).catch((error: NodeJS.ErrnoException) => {
    throw new LutnnError(
      `fromOnnx: the file must be one that can be read (got ${error.code ?? error.message} for ${JSON.stringify(file)}); check the path`,
    );
  });
}

/** The file that the network is compared with: as it is, or with its data and other outputs. */
function comparedBytes(
  bytes: Uint8Array,
  { model, isJoined }: OnnxFile,
  outputs: readonly string[],
): Uint8Array {
  const graph = model.graph!;
  const own = new Map(graph.output.map((one) => [one.name, one]));
  if (!isJoined && outputs.length === own.size && outputs.every((name) => own.has(name))) return bytes;
  const output = outputs.map((name) => own.get(name) ?? create(ValueInfoProtoSchema, { name }));
  return toBinary(ModelProtoSchema, { ...model, graph: { ...graph, output } });
}

/**
 * Builds a trainable network from an ONNX file of any origin: opset 7 to 21, weights in place. Images are channels last
 * inside (the file's `N×3×224×224` is an input of 224×224×3), all other values as the file has them; the batch is free.
 * Layers are called after the file's weights, or its nodes. Before it returns, the network and ONNX Runtime compute a few
 * inputs, and must agree to 1e-4 of the largest output.
 *
 * Throws LutnnError on a file that is damaged or incomplete, on lengths that neither it nor `inputShape` says, and on the
 * first operator or attribute that cannot be read, with its node, its value and what would do.
 * @param file path, or bytes where all weights are in them
 */
export async function fromOnnx(
  file: string | Uint8Array | ArrayBuffer,
  options: FromOnnxOptions = {},
): Promise<tf.LayersModel> {
  const { check = true, ...rest } = options;
  if (typeof file !== "string" && !(file instanceof Uint8Array) && !(file instanceof ArrayBuffer))
    throw new LutnnError(
      `fromOnnx: the file must be a path or bytes (got ${file === null ? "null" : typeof file}); give a string or a Uint8Array`,
    );
  const bytes =
    typeof file === "string" ? await bytesOf(file) : file instanceof Uint8Array ? file : new Uint8Array(file);
  const read = readOnnxFile(bytes, typeof file === "string" ? file : null);
  const imported = importNetwork(read.model, read.what, rest);
  if (!check) return imported.network;
  try {
    await compareWithFile(read.what, imported, comparedBytes(bytes, read, comparedNames(imported)));
  } catch (error) {
    imported.network.dispose();
    throw error;
  }
  return imported.network;
}
