import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { LutnnError } from "../../errors";
import { TensorProto_DataLocation as Location, type ModelProto, type TensorProto } from "../../onnx/onnx_pb";

/** Every tensor of a file that a network may be made of: initialisers and those of Constant nodes. */
function tensorsOf({ graph }: ModelProto): TensorProto[] {
  const attributes = graph?.node.flatMap((node) => node.attribute.flatMap(({ t }) => (t ? [t] : []))) ?? [];
  return [...(graph?.initializer ?? []), ...attributes];
}

/** The path of a tensor's file; it must lie beside the model's or below. */
function dataPath(tensor: TensorProto, folder: string, file: string): string {
  const location = tensor.externalData.find(({ key }) => key === "location")?.value ?? "";
  const path = resolve(folder, location);
  const inside = relative(folder, path);
  if (location === "" || inside.startsWith("..") || isAbsolute(inside))
    throw new LutnnError(
      `${file}: the data of tensor ${JSON.stringify(tensor.name)} must lie in the folder of the model's file (got location ${JSON.stringify(location)}); export the network anew`,
    );
  return path;
}

function numberOf(tensor: TensorProto, key: string, otherwise: number, file: string): number {
  const text = tensor.externalData.find((entry) => entry.key === key)?.value;
  if (text === undefined) return otherwise;
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new LutnnError(
    `${file}: the ${key} of tensor ${JSON.stringify(tensor.name)} must be a whole number from 0 (got ${JSON.stringify(text)}); the file is damaged`,
  );
}

function readPart(path: string, tensor: TensorProto, file: string): Uint8Array {
  let descriptor: number;
  try {
    descriptor = openSync(path, "r");
  } catch (error) {
    throw new LutnnError(
      `${file}: the file with the data of tensor ${JSON.stringify(tensor.name)} must be there (got ${(error as NodeJS.ErrnoException).code} for ${JSON.stringify(path)}); copy it beside the model's file`,
    );
  }
  try {
    const { size } = fstatSync(descriptor);
    const offset = numberOf(tensor, "offset", 0, file);
    const length = numberOf(tensor, "length", Math.max(0, size - offset), file);
    if (offset + length > size)
      throw new LutnnError(
        `${file}: the data of tensor ${JSON.stringify(tensor.name)} must lie inside ${JSON.stringify(path)} (got bytes ${offset} to ${offset + length} of ${size}); that file is cut off`,
      );
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; )
      done += readSync(descriptor, bytes, done, length - done, offset + done);
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Brings what a model's tensors have in other files into the model. Returns whether there was any. Throws LutnnError on
 * data that is missing, cut off or outside the model's folder.
 * @param folder of the model's file; null for bytes, which have none
 */
export function bringDataIn(model: ModelProto, folder: string | null, file: string): boolean {
  const outside = tensorsOf(model).filter(({ dataLocation }) => dataLocation === Location.EXTERNAL);
  for (const tensor of outside) {
    if (folder === null)
      throw new LutnnError(
        `${file}: a network whose weights are in other files must be given as the path of its file (got bytes, with tensor ${JSON.stringify(tensor.name)} elsewhere); give the path`,
      );
    tensor.rawData = readPart(dataPath(tensor, folder, file), tensor, file);
    tensor.dataLocation = Location.DEFAULT;
    tensor.externalData = [];
  }
  return outside.length > 0;
}

export const folderOf = (path: string): string => dirname(resolve(path));
