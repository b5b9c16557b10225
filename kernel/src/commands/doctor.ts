import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { cpus, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { Table } from "../charts/table";
import { nativeStatus } from "../compute/backend";
import { describeTraining, type TrainingStatus, trainingStatus } from "../compute/trainingBackend";
import { checkoutRoot, ownVersion, venvProgram } from "../host/checkout";
import { currentDevice, type Device, gpuPackagePath } from "../host/device";
import { nativeSessionStatus } from "../inference/nativeSession";
import { onnxRuntime } from "../inference/onnxRuntime";

/** What `lutnn doctor` found. */
export interface Diagnosis {
  lutnn: string;
  node: string;
  system: string;
  cpu: { model: string; cores: number; memoryGiB: number };
  /** The lookup backend: instruction set that runs, and those it could run. */
  native: { available: boolean; isa?: string; availableIsas?: string[]; reason?: string };
  /** What computes soft-PQ training: operators inside TensorFlow, or tf.js' own operations. */
  training: TrainingStatus;
  tensorflow: {
    available: boolean;
    tfjs?: string;
    backend?: string;
    library?: string;
    source?: string;
    reason?: string;
  };
  /** What trains, and what could. */
  device: { chosen: Device; gpuPackage: boolean; gpu: boolean };
  onnxruntime: { available: boolean; version?: string; reason?: string };
  /** Whether saved files run with native lookups inside ONNX Runtime. */
  sessions: { available: boolean; version?: string; reason?: string };
  python: { available: boolean; version?: string; jupyterlab?: string };
  kernelspec: { available: boolean; path: string; node?: string };
  extension: { available: boolean; path: string };
  datasets: { name: string; found: boolean; where: string }[];
  /** What does not work, with the remedy; empty when all is well. */
  missing: string[];
}

const message = (error: unknown): string =>
  error instanceof Error ? error.message.split("\n")[0] : String(error);

function versionOf(name: string): string {
  let folder = dirname(require.resolve(name));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).version;
}

/** The TensorFlow library that tfjs-node's backend has loaded. */
function libraryVersion(backend: object): string | undefined {
  const binding: unknown = Reflect.get(backend, "binding");
  return typeof binding === "object" && binding !== null ? Reflect.get(binding, "TF_Version") : undefined;
}

function tensorflow(): Diagnosis["tensorflow"] {
  try {
    const tf = require("@tensorflow/tfjs-node") as typeof import("@tensorflow/tfjs-node");
    const source = join(dirname(require.resolve("@tensorflow/tfjs-node/package.json")), ".lutnn-source");
    return {
      available: true,
      tfjs: tf.version["tfjs-core"],
      backend: tf.getBackend(),
      library: libraryVersion(tf.backend()),
      source: existsSync(source) ? readFileSync(source, "utf8").trim() : "as installed",
    };
  } catch (error) {
    return { available: false, reason: message(error) };
  }
}

function training(): TrainingStatus {
  try {
    return trainingStatus();
  } catch (error) {
    return { backend: "tfjs", reason: message(error) };
  }
}

function onnxruntime(): Diagnosis["onnxruntime"] {
  try {
    onnxRuntime();
    return { available: true, version: versionOf("onnxruntime-node") };
  } catch (error) {
    return { available: false, reason: message(error) };
  }
}

function python(): Diagnosis["python"] {
  try {
    const script = "import sys, jupyterlab; print(sys.version.split()[0], jupyterlab.__version__)";
    const [version, jupyterlab] = execFileSync(venvProgram("python"), ["-c", script], {
      encoding: "utf8",
    }).split(/\s/);
    return { available: true, version, jupyterlab };
  } catch {
    return { available: false };
  }
}

/** The data sets below `data`, each with a notice that names its files. */
function embeddedSets(): Diagnosis["datasets"] {
  const data = join(__dirname, "../../data");
  const folders = readdirSync(data).filter((name) => existsSync(join(data, name, "NOTICE.md")));
  return folders.map((name) => {
    const notice = readFileSync(join(data, name, "NOTICE.md"), "utf8");
    const files = [...notice.matchAll(/`([\w.-]+\.gz)`/g)].map(([, file]) => file);
    return { name, found: files.every((file) => existsSync(join(data, name, file))), where: "embedded" };
  });
}

/** Looks at everything that the notebooks need. */
export function diagnose(): Diagnosis {
  const share = join(checkoutRoot, ".venv/share/jupyter");
  const spec = join(share, "kernels/lutnn/kernel.json");
  const extension = join(share, "labextensions/jupyterlab-lutnn");
  const specNode = existsSync(spec) ? (JSON.parse(readFileSync(spec, "utf8")).argv[0] as string) : undefined;
  const diagnosis: Diagnosis = {
    lutnn: ownVersion(),
    node: process.versions.node,
    system: `${process.platform}-${process.arch} ${release()}`,
    cpu: {
      model: cpus()[0]?.model.trim() ?? "unknown",
      cores: cpus().length,
      memoryGiB: Number((totalmem() / 2 ** 30).toFixed(1)),
    },
    native: nativeStatus(),
    training: training(),
    tensorflow: tensorflow(),
    device: {
      chosen: currentDevice(),
      gpuPackage: gpuPackagePath() !== null,
      gpu: existsSync("/proc/driver/nvidia/gpus"),
    },
    onnxruntime: onnxruntime(),
    sessions: nativeSessionStatus(),
    python: python(),
    kernelspec: { available: specNode !== undefined && existsSync(specNode), path: spec, node: specNode },
    extension: { available: existsSync(join(extension, "package.json")), path: extension },
    datasets: embeddedSets(),
    missing: [],
  };
  const setup = "run npm run setup";
  const parts: [boolean, string][] = [
    [diagnosis.native.available, `the native backend does not load: ${diagnosis.native.reason}; ${setup}`],
    [
      diagnosis.training.backend === "native" || process.env.LUTNN_TRAINING === "tfjs",
      `the training operators do not load (${"reason" in diagnosis.training ? diagnosis.training.reason : ""}), so soft-PQ training takes several times as long; ${setup}`,
    ],
    [diagnosis.tensorflow.available, `tf.js does not load (${diagnosis.tensorflow.reason}); ${setup}`],
    [
      diagnosis.onnxruntime.available,
      `onnxruntime-node does not load (${diagnosis.onnxruntime.reason}); ${setup}`,
    ],
    [
      diagnosis.sessions.available,
      `native sessions do not load (${diagnosis.sessions.reason}), so saved files run as standard operators; ${setup}`,
    ],
    [diagnosis.python.available, `JupyterLab is not in .venv; ${setup}`],
    [diagnosis.kernelspec.available, `the kernelspec is missing or names a Node that is gone; ${setup}`],
    [diagnosis.extension.available, `the JupyterLab extension is not linked; ${setup}`],
    ...diagnosis.datasets.map(({ name, found }): [boolean, string] => [
      found,
      `the data set ${name} is missing; install the package again`,
    ]),
  ];
  diagnosis.missing = parts.filter(([fine]) => !fine).map(([, sentence]) => sentence);
  return diagnosis;
}

/** "cpu; no GPU, @tensorflow/tfjs-node-gpu is not installed". */
function describeDevice({ chosen, gpuPackage, gpu }: Diagnosis["device"]): string {
  const hardware = gpu ? "an NVIDIA GPU" : "no NVIDIA GPU";
  const software = gpuPackage
    ? "LUTNN_DEVICE=gpu or --device gpu takes it"
    : "@tensorflow/tfjs-node-gpu is not installed";
  return chosen === "gpu" ? `gpu (${hardware} here)` : `cpu (${hardware} here; ${software})`;
}

/** The diagnosis as text for a terminal. */
export function describeDiagnosis(diagnosis: Diagnosis): string {
  const { cpu, native, training, tensorflow, onnxruntime, python, kernelspec, extension } = diagnosis;
  const rows = [
    ["lutnn", diagnosis.lutnn],
    ["Node", `${diagnosis.node}, ${diagnosis.system}`],
    ["processor", `${cpu.model}, ${cpu.cores} cores, ${cpu.memoryGiB} GiB`],
    [
      "lookup backend",
      native.available ? `native ${native.isa} (can run ${native.availableIsas?.join(", ")})` : "not built",
    ],
    [
      "soft-PQ training",
      training.backend === "native"
        ? `${describeTraining(training)}, ${training.threads} threads`
        : `${describeTraining(training)} (${training.reason})`,
    ],
    [
      "tf.js",
      tensorflow.available
        ? `${tensorflow.tfjs}, backend ${tensorflow.backend}, TensorFlow ${tensorflow.library ?? "?"} (${tensorflow.source})`
        : "does not load",
    ],
    ["device", describeDevice(diagnosis.device)],
    ["ONNX Runtime", onnxruntime.version ?? "does not load"],
    [
      "saved files",
      diagnosis.sessions.available
        ? `native lookups in ONNX Runtime ${diagnosis.sessions.version}`
        : "standard operators",
    ],
    ["Python", python.available ? `${python.version}, JupyterLab ${python.jupyterlab}` : "not set up"],
    ["kernelspec", kernelspec.available ? "lutnn, “TypeScript (LUT-NN)”" : "missing"],
    ["extension", extension.available ? "linked" : "missing"],
    ...diagnosis.datasets.map(({ name, found, where }) => [
      "data set",
      `${name} (${found ? where : "missing"})`,
    ]),
  ];
  const problems = diagnosis.missing.map((sentence) => `missing: ${sentence}`);
  return [
    new Table(["part", "state"], rows).toString().split("\n").slice(2).join("\n"),
    ...(problems.length > 0 ? problems : ["All is well."]),
  ].join("\n");
}
