import type * as ort from "onnxruntime-node";

/**
 * onnxruntime-node, loaded on first use. Its library would send usage data and keep an identifier of the machine in the
 * user's folder; that stays off unless the user has set ORT_DISABLE_TELEMETRY otherwise.
 */
export function onnxRuntime(): typeof ort {
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
  return require("onnxruntime-node") as typeof ort;
}

/** What an error of ONNX Runtime's says, in one line, without the place in its sources. */
export function reasonOf(error: unknown): string {
  const text = (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ");
  const said = text.slice(Math.max(0, text.lastIndexOf("[ONNXRuntimeError]")));
  return said.replace(/^\[ONNXRuntimeError\] : \d+ : \w+ : /, "").trim() || "no reason";
}
