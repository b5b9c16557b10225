// The steps of the set-up, in order. Each names its inputs, its product and what it needs.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "./cmake.mjs";
import { writeJupyterDefaults } from "./jupyterDefaults.mjs";
import { python } from "./prerequisites.mjs";
import { network, tryAgain } from "./remedies.mjs";
import { installTensorflow, tensorflowIntact, wheelPin } from "./tensorflow.mjs";
import { at, npm, pip, run, target, venv, venvBin } from "./workspace.mjs";

const tsc = at("node_modules/typescript/bin/tsc");

/** Does node_modules hold what the lock file says? npm's own record is the answer, so a manual `npm ci` counts. */
function packagesIntact() {
  const record = at("node_modules/.package-lock.json");
  if (!existsSync(record)) return false;
  const have = JSON.parse(readFileSync(record, "utf8")).packages;
  const want = JSON.parse(readFileSync(at("package-lock.json"), "utf8")).packages;
  return Object.entries(want).every(([path, entry]) => {
    if (!path.includes("node_modules/") || entry.link) return true;
    if (!have[path]) return Boolean(entry.optional || entry.devOptional || entry.peer);
    return have[path].version === entry.version;
  });
}

/** Drops what no one here loads: ONNX Runtime's libraries for other systems, plotly's ready-made bundles. */
function slim() {
  const binaries = at("node_modules/onnxruntime-node/bin/napi-v6");
  if (existsSync(join(binaries, process.platform, process.arch)))
    for (const platform of readdirSync(binaries))
      for (const arch of readdirSync(join(binaries, platform)))
        if (`${platform}-${arch}` !== target) rmSync(join(binaries, platform, arch), { recursive: true });
  rmSync(at("node_modules/plotly.js/dist"), { recursive: true, force: true });
}

const specFile = join(venv, "share/jupyter/kernels/lutnn/kernel.json");
/** A module of the kernel, once the step "library" has built it. */
const built = (name) => createRequire(import.meta.url)(at(`kernel/lib/jupyter/${name}.js`));

/** Builds native/ in `folder`; after "--" the arguments name the only targets to build. */
export function buildNative(folder, ...args) {
  const targetsAt = args.includes("--") ? args.indexOf("--") : args.length;
  build("native", folder, { definitions: args.slice(0, targetsAt), targets: args.slice(targetsAt + 1) });
}

/** Addons that may come with the files, and where they would lie then. */
export const shippedAddons = ["lutnn_native.node", "lutnn_session.node"];
const isBuilt = () => shippedAddons.every((name) => existsSync(at("native/build", name)));
const isPrebuilt = () => shippedAddons.every((name) => existsSync(at("native/prebuilds", target, name)));

/** @type {Record<string, import("./step.mjs").Step>} */
export const steps = {
  packages: {
    name: "npm packages (npm ci, about 1.3 GB on disk)",
    inputs: [
      "package-lock.json",
      "package.json",
      "native/package.json",
      "kernel/package.json",
      "extension/package.json",
      ".npmrc",
    ],
    stamp: at("node_modules/.lutnn-stamp"),
    intact: packagesIntact,
    needs: ["node"],
    remedy: network,
    make: () => {
      const already = packagesIntact();
      if (!already) npm(["ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]);
      slim();
      return already ? "already installed" : undefined;
    },
  },

  python: {
    name: "Python environment (.venv with JupyterLab 4.6)",
    inputs: ["kernel/install/requirements.txt"],
    stamp: join(venv, ".lutnn-stamp"),
    intact: () => existsSync(venvBin("jupyter-lab")),
    needs: ["python"],
    remedy: network,
    make: () => {
      rmSync(venv, { recursive: true, force: true });
      run(python(), ["-m", "venv", venv]);
      pip("install", "--require-hashes", "-r", at("kernel/install/requirements.txt"));
    },
  },

  pythonTests: {
    name: "Python packages of the tests (onnx, onnxruntime, jupyter_kernel_test, hatchling, Notebook 7)",
    inputs: [
      "kernel/install/requirements.txt",
      "kernel/install/requirements-test.txt",
      "kernel/install/requirements-wheel.txt",
    ],
    stamp: join(venv, ".lutnn-stamp-tests"),
    needs: ["python"],
    remedy: network,
    make: () => {
      for (const name of ["requirements-test.txt", "requirements-wheel.txt"])
        pip("install", "--require-hashes", "-r", at("kernel/install", name));
    },
  },

  tensorflow: {
    name: "TensorFlow for Node (@tensorflow/tfjs-node)",
    inputs: ["kernel/install/tfjsBinding", ...(existsSync(at(wheelPin)) ? [wheelPin] : [])],
    stamp: at("node_modules/@tensorflow/tfjs-node/.lutnn-stamp"),
    intact: tensorflowIntact,
    needs: ["python", "compiler"],
    remedy: network,
    make: installTensorflow,
  },

  native: {
    name: "lookup backend, native sessions and training operators (native, CMake)",
    inputs: ["native/CMakeLists.txt", "native/src"],
    stamp: at("native/build/.lutnn-stamp"),
    intact: () => isBuilt() || isPrebuilt(),
    get needs() {
      return isPrebuilt() ? [] : ["compiler", "python"];
    },
    remedy: tryAgain,
    make: () => {
      const tensorflow = at("node_modules/@tensorflow/tfjs-node/deps").replaceAll("\\", "/");
      try {
        buildNative("native/build", `-DTENSORFLOW_DIR=${tensorflow}`);
      } catch (error) {
        if (!isPrebuilt()) throw error;
        return `the prebuilt addons of native/prebuilds serve, without training operators; its source does not build: ${error.message.split("\n")[0]}`;
      }
    },
  },

  library: {
    name: "library, command line and notebook kernel (tsc)",
    inputs: [
      "kernel/src",
      "kernel/tsconfig.json",
      "tsconfig.json",
      "native/index.d.ts",
      "native/session.d.ts",
    ],
    stamp: at("kernel/lib/.lutnn-stamp"),
    needs: [],
    remedy: tryAgain,
    make: () => {
      rmSync(at("kernel/lib"), { recursive: true, force: true });
      run(process.execPath, [tsc, "-p", "kernel"]);
    },
  },

  fetched: {
    name: "networks and sentences of notebooks 08 and 09 (PyPI, 102 MB)",
    inputs: ["kernel/install/fetched.mjs"],
    stamp: at(".cache/lutnn/.lutnn-stamp"),
    intact: () =>
      ["all-minilm-l6-v2", "magika", "movie-snippets"].every((name) => existsSync(at(".cache/lutnn", name))),
    needs: [],
    remedy: network,
    make: () => run(process.execPath, [at("kernel/install/fetched.mjs")]),
  },

  extension: {
    name: "JupyterLab extension",
    inputs: [
      "extension/schema",
      "extension/src",
      "extension/style",
      "extension/package.json",
      "extension/tsconfig.json",
      "extension/webpack.config.js",
      "kernel/src/report",
    ],
    stamp: at("extension/labextension/.lutnn-stamp"),
    needs: [],
    remedy: tryAgain,
    make: () => {
      rmSync(at("extension/lib"), { recursive: true, force: true });
      run(process.execPath, [tsc, "-p", "extension"]);
      const builder = at("node_modules/@jupyter/builder/lib/build-labextension.js");
      const core = at("node_modules/@jupyterlab/core-meta/core.package.json");
      run(process.execPath, [builder, "--core-package-file", core, "."], { cwd: at("extension") });
    },
  },

  jupyter: {
    name: "kernelspec, papermill translator, extension link and defaults in .venv",
    inputs: [
      "kernel/install/jupyterDefaults.mjs",
      "kernel/install/steps.mjs",
      "kernel/install/requirements.txt",
      "kernel/python/papermill",
      "kernel/data/logo-svg.svg",
    ],
    stamp: join(venv, "share/jupyter/.lutnn-stamp"),
    // Without the library, which an interrupted set-up may have left unbuilt, nobody knows what the kernelspec should be.
    intact: () =>
      existsSync(at("kernel/lib/jupyter/kernelspec.js")) &&
      existsSync(join(venv, "share/jupyter/labextensions/jupyterlab-lutnn/package.json")) &&
      existsSync(specFile) &&
      readFileSync(specFile, "utf8") === built("kernelspec").kernelspecText(),
    needs: [],
    remedy: tryAgain,
    make: () => {
      built("kernelspec").installKernelspec({ prefix: venv });
      built("papermill").installPapermillTranslator(venvBin("python"));
      writeJupyterDefaults(join(venv, "etc/jupyter"));
      const link = join(venv, "share/jupyter/labextensions/jupyterlab-lutnn");
      mkdirSync(dirname(link), { recursive: true });
      rmSync(link, { recursive: true, force: true });
      linkFolder(at("extension/labextension"), link);
    },
  },
};

function linkFolder(from, to) {
  try {
    symlinkSync(from, to, "junction");
  } catch {
    cpSync(from, to, { recursive: true });
  }
}
