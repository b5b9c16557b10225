import type * as NativeTraining from "lutnn-native/training";
import { LutnnError } from "../errors";
import { runsOnTensorflow } from "./tensorflowOperator";

/** What computes the soft-PQ lookup: operators of our own inside TensorFlow, or tf.js' operations. */
export type TrainingBackend = "native" | "tfjs";

/** Which one runs, and why it is not the native one. */
export type TrainingStatus =
  | { backend: "native"; isa: string; threads: number }
  | { backend: "tfjs"; reason: string };

let loaded: { module: typeof NativeTraining } | { reason: string } | undefined;

function load(): { module: typeof NativeTraining } | { reason: string } {
  if (!runsOnTensorflow()) return { reason: 'the backend of tf.js must be "tensorflow"' };
  if (!loaded)
    try {
      const module = require("lutnn-native/training") as typeof NativeTraining;
      module.register();
      loaded = { module };
    } catch (error) {
      loaded = { reason: error instanceof Error ? error.message : String(error) };
    }
  return loaded;
}

/**
 * Which one runs: the native one where it is there, unless the environment's LUTNN_TRAINING is `tfjs`. Throws LutnnError
 * where LUTNN_TRAINING asks for `native` and it is not there, or for something else.
 */
export function trainingStatus(wanted = process.env.LUTNN_TRAINING): TrainingStatus {
  if (wanted && wanted !== "native" && wanted !== "tfjs")
    throw new LutnnError(`LUTNN_TRAINING must be native or tfjs (got ${JSON.stringify(wanted)})`);
  if (wanted === "tfjs") return { backend: "tfjs", reason: "asked for by name" };
  const native = load();
  if ("module" in native) return { backend: "native", ...native.module.register() };
  if (wanted === "native")
    throw new LutnnError(
      `the native training operators were asked for by name but do not load (${native.reason}); run npm run setup, or ask for tfjs`,
    );
  return { backend: "tfjs", ...native };
}

/** The native training functions where they are what runs, else null; throws as {@link trainingStatus}. */
export function nativeTraining(): typeof NativeTraining | null {
  if (trainingStatus().backend !== "native") return null;
  const native = load();
  return "module" in native ? native.module : null;
}

/** The status in a few words, for reports. */
export function describeTraining(status = trainingStatus()): string {
  return status.backend === "native" ? `native ${status.isa}` : "tf.js operations";
}
