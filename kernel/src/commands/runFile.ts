import { existsSync } from "node:fs";
import { join } from "node:path";
import type { FileValue, TensorData } from "../inference/tensorData";
import { UsageError } from "./usageError";

export interface RunFileOptions {
  /** `x.npy`, or `name=x.npy` for each of several inputs. */
  input: readonly string[];
  /** A folder for `NAME.npy` of each output, or of one output the file itself, by its ending. */
  output: string;
  threads?: string;
  /** Default what is there. */
  backend?: string;
}

const backends = ["native", "onnxruntime", "reference"] as const;

/** Names of element types as NumPy has them. */
const numpyTypes = {
  float32: "f4",
  float64: "f8",
  float16: "f2",
  int8: "i1",
  uint8: "u1",
  int16: "i2",
  uint16: "u2",
  int32: "i4",
  uint32: "u4",
  int64: "i8",
  uint64: "u8",
  bool: "b1",
} as const;

/** Which file is whose: the path by the input's name. */
function pathsOf(given: readonly string[], inputs: readonly FileValue[]): Map<string, string> {
  const names = inputs.map(({ name }) => name);
  const paths = new Map<string, string>();
  for (const one of given) {
    const name = names.find((known) => one.startsWith(`${known}=`)) ?? (names.length === 1 ? names[0] : null);
    if (name === null || paths.has(name))
      throw new UsageError(
        `run: --input must give each input once, as NAME=FILE.npy (got ${one}); the file's inputs are ${names.join(", ")}`,
      );
    paths.set(name, one.startsWith(`${name}=`) ? one.slice(name.length + 1) : one);
  }
  const missing = names.filter((name) => !paths.has(name));
  if (missing.length > 0)
    throw new UsageError(
      `run: --input must give every input of the file (missing ${missing.join(", ")}); as --input ${missing[0]}=FILE.npy`,
    );
  return paths;
}

/** An array as an input takes it: whole numbers of any size and floats are brought into its type where they fit. */
async function feedOf(path: string, { name, type }: FileValue): Promise<TensorData> {
  const { readNpy } = await import("../files/npy.js");
  const { readFileWhole } = await import("../files/readFile.js");
  const array = readNpy(await readFileWhole(path, "run"), path);
  const wanted = numpyTypes[type];
  if (array.type === wanted) return { data: array.values, dims: array.shape };
  const isFloat = (one: string) => one === "f4" || one === "f8";
  const isInteger = (one: string) => /^[iu]/.test(one);
  const numbers = Array.from(array.values as Float32Array, Number);
  const dims = array.shape;
  if (isFloat(wanted) && (isFloat(array.type) || isInteger(array.type)))
    return { data: wanted === "f4" ? Float32Array.from(numbers) : Float64Array.from(numbers), dims };
  if (isInteger(wanted) && isInteger(array.type)) {
    const [bits, isSigned] = [8 * Number(wanted[1]), wanted[0] === "i"];
    const [least, most] = isSigned ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1];
    // Beyond 2⁵³ they are not all there as numbers.
    const wrong = numbers.find((value) => value < least || value > most || !Number.isSafeInteger(value));
    if (wrong !== undefined)
      throw new UsageError(
        `run: the numbers in ${path} must fit input ${name}, which is ${type} (got ${wrong} in ${array.type})`,
      );
    if (wanted === "i8") return { data: BigInt64Array.from(numbers, BigInt), dims };
    if (wanted === "u8") return { data: BigUint64Array.from(numbers, BigInt), dims };
    const made = {
      i1: Int8Array,
      u1: Uint8Array,
      i2: Int16Array,
      u2: Uint16Array,
      i4: Int32Array,
      u4: Uint32Array,
    };
    return { data: made[wanted as keyof typeof made].from(numbers), dims };
  }
  throw new UsageError(
    `run: the array in ${path} must be of input ${name}'s type, ${type} (got ${array.type}); convert it with array.astype("${wanted}")`,
  );
}

/** An output's name as a file may be called, with a number behind it where another has that one. */
function fileName(name: string, taken: Set<string>): string {
  const plain = name.replace(/[^\w.-]/g, "_");
  let made = plain;
  for (let i = 2; taken.has(made.toLowerCase()); i++) made = `${plain}_${i}`;
  taken.add(made.toLowerCase());
  return made;
}

/** Runs an ONNX file on arrays of NumPy's and writes its outputs as such; answers with a line for each output. */
export async function runFile(
  file: string,
  { input, output, threads = "1", backend: named }: RunFileOptions,
): Promise<string> {
  const count = Number(threads);
  if (!Number.isInteger(count) || count < 1)
    throw new UsageError(`run: --threads must be a whole number from 1 (got ${threads})`);
  const backend = backends.find((one) => one === named);
  if (backend !== named)
    throw new UsageError(
      `run: --backend must be ${backends.slice(0, -1).join(", ")} or ${backends[backends.length - 1]} (got ${named})`,
    );
  if (!existsSync(file)) throw new UsageError(`run: the file ${file} must exist (it does not)`);
  const { InferenceSession } = await import("../inference/session.js");
  const { writeNpy } = await import("../files/npy.js");
  const { writeFileWhole } = await import("../files/writeFile.js");
  const session = await InferenceSession.create(file, { threads: count, backend });
  try {
    const { inputs, outputs } = session;
    const isFile = output.endsWith(".npy");
    if (isFile && outputs.length > 1)
      throw new UsageError(
        `run: --output must be a folder for a file of several outputs (got ${output}); they are ${outputs.map(({ name }) => name).join(", ")}`,
      );
    const paths = pathsOf(input, inputs);
    const feeds: Record<string, TensorData> = {};
    for (const one of inputs) feeds[one.name] = await feedOf(paths.get(one.name)!, one);
    const results = await session.run(feeds);
    const lines: string[] = [];
    const taken = new Set<string>();
    for (const { name, type } of outputs) {
      const { data, dims } = results[name];
      const path = isFile ? output : join(output, `${fileName(name, taken)}.npy`);
      await writeFileWhole(path, writeNpy({ type: numpyTypes[type], shape: dims, values: data }), "run");
      lines.push(`${name}: ${type} ${dims.join("×") || "one number"}, in ${path}`);
    }
    return lines.join("\n");
  } finally {
    await session.release();
  }
}
