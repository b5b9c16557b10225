import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-node";
import { describeTraining } from "../../compute/trainingBackend";
import { ownVersion } from "../../host/checkout";

/** Versions of what a measured result depends on, by name. */
export function versions(): Record<string, string> {
  const binding: unknown = Reflect.get(tf.backend(), "binding");
  const library: unknown =
    typeof binding === "object" && binding !== null ? Reflect.get(binding, "TF_Version") : undefined;
  const runtime = require.resolve("onnxruntime-node/package.json");
  return {
    lutnn: ownVersion(),
    node: process.versions.node,
    "tf.js": tf.version["tfjs-core"],
    TensorFlow: typeof library === "string" ? library : tf.getBackend(),
    "soft-PQ": describeTraining(),
    "onnxruntime-node": JSON.parse(readFileSync(runtime, "utf8")).version,
  };
}
