import { closeSync, fstatSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { LutnnError } from "../errors";
import { requireRegular } from "../files/regularFile";
import {
  type GraphProto,
  TensorProto_DataLocation as Location,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from "./onnx_pb";

const tensorsOfNodes = (nodes: readonly NodeProto[]): TensorProto[] =>
  nodes.flatMap(({ attribute }) =>
    attribute.flatMap(({ t, g }) => [...(t ? [t] : []), ...(g ? tensorsOfGraph(g) : [])]),
  );

const tensorsOfGraph = ({ initializer, node }: GraphProto): TensorProto[] => [
  ...initializer,
  ...tensorsOfNodes(node),
];

/** Every tensor of a file whose numbers stand in another one: initialisers, constants, those of inner graphs and functions. */
export const outsideTensors = ({ graph, functions }: ModelProto): TensorProto[] =>
  [...(graph ? tensorsOfGraph(graph) : []), ...functions.flatMap(({ node }) => tensorsOfNodes(node))].filter(
    ({ dataLocation }) => dataLocation === Location.EXTERNAL,
  );

/** What a tensor with its numbers elsewhere says of them, by key; "" where it says nothing. */
export const externalEntry = ({ externalData }: TensorProto, key: string): string =>
  externalData.find((entry) => entry.key === key)?.value ?? "";

/** Where the files of a model may lie. */
export interface DataFolder {
  /** The folder of the model's file, as its path names it. */
  path: string;
  /** What it is without links, and where the model's file is a link, the folder of what it leads to. */
  real: readonly string[];
}

function isInside(folder: string, path: string): boolean {
  const inside = relative(folder, path);
  return inside !== "" && inside.split(/[\\/]/)[0] !== ".." && !isAbsolute(inside);
}

const outside = (tensor: TensorProto, file: string, got: string) =>
  new LutnnError(
    `${file}: the data of tensor ${JSON.stringify(tensor.name)} must lie in the folder of the model's file (got ${got}); export the network anew`,
  );

/** The path of a tensor's file; it must lie beside the model's or below. */
function dataPath(tensor: TensorProto, folder: DataFolder, file: string): string {
  const location = externalEntry(tensor, "location");
  const path = resolve(folder.path, location);
  if (location === "" || !isInside(folder.path, path))
    throw outside(tensor, file, `location ${JSON.stringify(location)}`);
  return path;
}

/** Where links lead from there; the same rule holds for it. */
function requireInside(tensor: TensorProto, path: string, folder: DataFolder, file: string): void {
  const target = realpathSync(path);
  if (!folder.real.some((one) => isInside(one, target)))
    throw outside(tensor, file, `a link that leads to ${JSON.stringify(target)}`);
}

function numberOf(tensor: TensorProto, key: string, otherwise: number, file: string): number {
  if (!tensor.externalData.some((entry) => entry.key === key)) return otherwise;
  const text = externalEntry(tensor, key);
  const value = Number(text);
  if (text.trim() !== "" && Number.isSafeInteger(value) && value >= 0) return value;
  throw new LutnnError(
    `${file}: the ${key} of tensor ${JSON.stringify(tensor.name)} must be a whole number from 0 (got ${JSON.stringify(text)}); the file is damaged`,
  );
}

/** Where a tensor's numbers stand, known to be there. */
interface DataPart {
  descriptor: number;
  offset: number;
  length: number;
}

/** Opens the file with a tensor's numbers and gives their place to `use`. */
function withPart<T>(tensor: TensorProto, folder: DataFolder, file: string, use: (part: DataPart) => T): T {
  const path = dataPath(tensor, folder, file);
  const name = JSON.stringify(tensor.name);
  let descriptor: number;
  try {
    requireRegular(file, path, statSync(path)); // a pipe would never open
    requireInside(tensor, path, folder, file);
    descriptor = openSync(path, "r");
  } catch (error) {
    if (error instanceof LutnnError) throw error;
    throw new LutnnError(
      `${file}: the file with the data of tensor ${name} must be there (got ${(error as NodeJS.ErrnoException).code} for ${JSON.stringify(path)}); copy it beside the model's file`,
    );
  }
  try {
    const { size } = fstatSync(descriptor);
    const offset = numberOf(tensor, "offset", 0, file);
    const length = numberOf(tensor, "length", Math.max(0, size - offset), file);
    if (offset + length > size)
      throw new LutnnError(
        `${file}: the data of tensor ${name} must lie inside ${JSON.stringify(path)} (got bytes ${offset} to ${offset + length} of ${size}); that file is cut off`,
      );
    return use({ descriptor, offset, length });
  } finally {
    closeSync(descriptor);
  }
}

function readPart({ descriptor, offset, length }: DataPart): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) done += readSync(descriptor, bytes, done, length - done, offset + done);
  return bytes;
}

/** Calls `use` for each tensor with its numbers elsewhere, and tells whether there was any. */
function eachOutside(
  model: ModelProto,
  folder: DataFolder | null,
  file: string,
  use: (tensor: TensorProto, part: DataPart) => void,
): boolean {
  const outside = outsideTensors(model);
  for (const tensor of outside) {
    if (folder === null)
      throw new LutnnError(
        `${file}: a network whose weights are in other files must be given as the path of its file (got bytes, with tensor ${JSON.stringify(tensor.name)} elsewhere); give the path`,
      );
    withPart(tensor, folder, file, (part) => use(tensor, part));
  }
  return outside.length > 0;
}

/**
 * Whether a model's tensors have numbers in other files. Throws LutnnError on what is missing, cut off or outside the
 * model's folder; nothing of it is read.
 * @param folder of the model's file; null for bytes, which have none
 */
export const checkOutside = (model: ModelProto, folder: DataFolder | null, file: string): boolean =>
  eachOutside(model, folder, file, () => undefined);

/**
 * Brings what a model's tensors have in other files into the model. Returns whether there was any. Throws as
 * {@link checkOutside}.
 */
export const bringDataIn = (model: ModelProto, folder: DataFolder | null, file: string): boolean =>
  eachOutside(model, folder, file, (tensor, part) => {
    tensor.rawData = readPart(part);
    tensor.dataLocation = Location.DEFAULT;
    tensor.externalData = [];
  });

/** The folder in which a model's file, which is there, may have others. */
export function folderOf(path: string): DataFolder {
  const folder = dirname(resolve(path));
  return { path: folder, real: [realpathSync(folder), dirname(realpathSync(path))] };
}
