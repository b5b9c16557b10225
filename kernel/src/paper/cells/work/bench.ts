import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { LutnnError } from "../../../errors";
import { checkoutRoot, venvProgram } from "../../../host/checkout";

const script = (name: string): string => join(checkoutRoot, "kernel/bench", name);

/** What the benchmarks of whole networks call those that the paper counts. */
const benchNames: Readonly<Record<string, readonly string[]>> = {
  resnet18_cifar: ["resnet18", "32"],
  senet18_cifar: ["senet18", "32"],
  vgg11_cifar: ["vgg11", "32"],
  resnet18_imagenet224: ["resnet18", "224"],
  senet18_imagenet224: ["senet18", "224"],
  vgg11_bn_imagenet224: ["vgg11", "224"],
  "bert-6": ["bert6", "64"],
};

/** The words with which `kernel/bench/modelFiles.mjs` is asked for a network. Throws LutnnError on one that it does not have. */
export function benchWords(network: string): readonly string[] {
  if (Object.hasOwn(benchNames, network)) return benchNames[network];
  throw new LutnnError(
    `cell: network must be one of ${Object.keys(benchNames).join(", ")} (got ${JSON.stringify(network)})`,
  );
}

let pythonFault: string | null | undefined;

/** Why whole networks cannot be timed here, as a sentence; null where they can. */
export function benchMissing(): string | null {
  if (!existsSync(script("models.mjs")))
    return `the benchmarks must be there (${script("models.mjs")} is not); times are taken in a checkout of lutnn`;
  if (pythonFault === undefined) {
    const { status } = spawnSync(venvProgram("python"), ["-c", "import onnx, onnxruntime"], {
      stdio: "ignore",
    });
    pythonFault =
      status === 0
        ? null
        : "the baselines need onnx and onnxruntime in .venv (they are not there); run npm test -- lint once, or .venv/bin/pip install -r kernel/install/requirements-test.txt";
  }
  return pythonFault;
}

const layerBench = join(checkoutRoot, "native/bench/bench.mjs");

/** Why single layers cannot be timed here, as a sentence; null where they can. */
export const layerBenchMissing = (): string | null =>
  existsSync(layerBench)
    ? null
    : `the benchmark must be there (${layerBench} is not); times are taken in a checkout of lutnn`;

/** Runs a program to its end and answers with its output; an abort ends it with all that it started. */
async function output(program: string, words: readonly string[], signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  const child = spawn(program, words, {
    stdio: ["ignore", "pipe", "pipe"],
    detached: process.platform !== "win32",
  });
  const end = () => endGroup(child);
  signal.addEventListener("abort", end, { once: true });
  process.once("exit", end);
  try {
    const [text, errors] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ended(child)]);
    signal.throwIfAborted();
    if (child.exitCode === 0) return text;
    const last = errors.trim().split("\n").slice(-3).join(" ");
    throw new LutnnError(
      `cell: ${words[0]} must end without an error (got ${child.exitCode ?? child.signalCode}: ${last}); run it by hand to see more`,
    );
  } finally {
    signal.removeEventListener("abort", end);
    process.removeListener("exit", end);
  }
}

/** Ends a process and those that it started. */
function endGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(process.platform === "win32" ? child.pid : -child.pid, "SIGKILL");
  } catch {
    // It ended by itself meanwhile.
  }
}

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", () => resolve());
  });

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = "";
  for await (const part of stream) text += part;
  return text;
}

/** Runs a benchmark of `kernel/bench` that is written for Node.js. */
export const runBench = (name: string, words: readonly string[], signal: AbortSignal): Promise<string> =>
  output(process.execPath, [script(name), ...words], signal);

/** Runs the benchmark of single layers. */
export const runLayerBench = (words: readonly string[], signal: AbortSignal): Promise<string> =>
  output(process.execPath, [layerBench, ...words], signal);

/** Runs one that is written in Python. */
export const runPythonBench = (
  name: string,
  words: readonly string[],
  signal: AbortSignal,
): Promise<string> => output(venvProgram("python"), [script(name), ...words], signal);
