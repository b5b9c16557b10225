import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type * as NativeSessions from "lutnn-native/session";
import { LutnnError } from "../errors";
import type { ModelProto } from "../onnx/onnx_pb";
import type { BackendOptions, Running } from "./backend";
import { requireNativeLookups } from "./nativeLookups";
import { onnxRuntime } from "./onnxRuntime";
import { type FileValue, fileValue, type TensorData } from "./tensorData";

/** Names of ONNX Runtime's library in the npm package, by system. */
const libraries: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["libonnxruntime.so.1"],
  darwin: ["libonnxruntime.1.dylib", "libonnxruntime.dylib"],
  win32: ["onnxruntime.dll"],
};

/** The library that onnxruntime-node has loaded. Throws an Error where it is not in the package. */
export function onnxRuntimeLibrary(): string {
  onnxRuntime();
  let folder = dirname(require.resolve("onnxruntime-node"));
  while (!existsSync(join(folder, "bin"))) folder = dirname(folder);
  const { platform, arch } = process;
  const paths = (libraries[platform] ?? []).map((name) => join(folder, "bin/napi-v6", platform, arch, name));
  const found = paths.find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new Error(`onnxruntime-node brings no library for ${platform}-${arch}`);
}

type Loaded = { module: typeof NativeSessions; library: string; version: string };

let loaded: Loaded | { reason: string } | undefined;

function load(): Loaded | { reason: string } {
  if (!loaded)
    try {
      const module = require("lutnn-native/session") as typeof NativeSessions;
      const library = onnxRuntimeLibrary();
      loaded = { module, library, version: module.version(library) };
    } catch (error) {
      loaded = { reason: error instanceof Error ? error.message : String(error) };
    }
  return loaded;
}

/** Whether files can run natively here, and in which ONNX Runtime. */
export function nativeSessionStatus():
  | { available: true; version: string }
  | { available: false; reason: string } {
  const state = load();
  return "module" in state
    ? { available: true, version: state.version }
    : { available: false, reason: state.reason };
}

/** A file in ONNX Runtime with our operators: replaced layers run as them, or it throws. */
export async function nativeSession(
  model: string | Uint8Array,
  name: string,
  decoded: ModelProto,
  options: BackendOptions,
): Promise<Running> {
  const state = load();
  if (!("module" in state))
    throw new LutnnError(
      `InferenceSession: the native backend must be built to be used (${state.reason}); run npm run setup, or ask for { backend: "onnxruntime" }`,
    );
  const { module, library } = state;
  const session = await module.create(library, model, options);
  try {
    requireNativeLookups(name, decoded, module.operators(), session.lookups);
    const described = (all: readonly NativeSessions.Value[]): FileValue[] =>
      all.map((one) => fileValue(name, one.name, one.type, one.dims));
    return {
      inputs: described(session.inputs),
      outputs: described(session.outputs),
      isa: session.isa,
      run: async (inputs) =>
        (await session.run(
          inputs.map(({ data }) => data),
          inputs.map(({ dims }) => dims),
        )) as TensorData[],
      endProfiling: () => void session.endProfiling(),
      release: async () => session.release(),
    };
  } catch (error) {
    session.release();
    throw error;
  }
}
