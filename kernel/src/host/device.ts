import Module from "node:module";
import { LutnnError } from "../errors";

// Which of TensorFlow's two packages computes. Both are the same to call, so the choice is made where Node.js looks for the
// one that the library names; it has to be made before anything loads it, which is why this file acts when it is loaded.

/** `cpu`: the package that comes with lutnn; `gpu`: @tensorflow/tfjs-node-gpu, which a user adds. */
export type Device = "cpu" | "gpu";

const named = "@tensorflow/tfjs-node";
const gpuPackage = "@tensorflow/tfjs-node-gpu";

type Resolve = (request: string, ...rest: unknown[]) => string;
const loader = Module as unknown as { _resolveFilename: Resolve };

/** Where the package for GPUs is, or null. */
export function gpuPackagePath(): string | null {
  try {
    return require.resolve(gpuPackage);
  } catch {
    return null;
  }
}

let chosen: Device = "cpu";

/** The device that was asked for. */
export const currentDevice = (): Device => chosen;

/**
 * Has TensorFlow compute there, from now on and in processes that this one starts. Throws LutnnError on another name, and
 * where the package for GPUs is not installed.
 */
export function useDevice(name: string): void {
  if (name !== "cpu" && name !== "gpu")
    throw new LutnnError(`the device must be cpu or gpu (got ${JSON.stringify(name)}); see lutnn doctor`);
  process.env.LUTNN_DEVICE = name;
  if (name === chosen) return;
  const path = gpuPackagePath();
  if (path === null)
    throw new LutnnError(
      `the device gpu needs the package ${gpuPackage} (it is not installed); npm install --no-save ${gpuPackage}@4.22.0 on a machine with CUDA gets it, and --device cpu does without`,
    );
  const resolve = loader._resolveFilename;
  loader._resolveFilename = function (request, ...rest) {
    return resolve.call(this, chosen === "gpu" && request === named ? path : request, ...rest);
  };
  chosen = name;
}

if (process.env.LUTNN_DEVICE) useDevice(process.env.LUTNN_DEVICE);
