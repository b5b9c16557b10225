// The three addons as a process loads them. TensorFlow's library, which the training addon belongs to, must be there first.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

export const require = createRequire(import.meta.url);

export const paths = {
  lookup: require.resolve("lutnn-native"),
  session: require.resolve("lutnn-native/session"),
  training: require.resolve("lutnn-native/training"),
};

/** ONNX Runtime's library, loaded. */
export function onnxRuntimeLibrary() {
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
  require("onnxruntime-node");
  const folder = join(dirname(require.resolve("onnxruntime-node")), "../bin/napi-v6");
  const names = { linux: "libonnxruntime.so.1", darwin: "libonnxruntime.1.dylib", win32: "onnxruntime.dll" };
  return join(folder, process.platform, process.arch, names[process.platform]);
}

/** Loads what the addons are part of; to be called once, in the main thread. */
export function loadHosts() {
  require("@tensorflow/tfjs-node");
  return onnxRuntimeLibrary();
}
