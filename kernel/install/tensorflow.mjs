// Makes @tensorflow/tfjs-node work: as it is, else by its own installer, else with the TensorFlow library that
// PyPI carries (the wheel's hash is checked). What was built is kept in .cache, so a later `npm ci` costs nothing.
import { spawnSync } from "node:child_process";
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { build } from "./cmake.mjs";
import { fingerprint } from "./step.mjs";
import { at, cache, npm, run, target, venvBin, windows, works } from "./workspace.mjs";

const folder = at("node_modules/@tensorflow/tfjs-node");
const names = ["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"];
/** The pinned wheel of this system; systems without one have only the package's own installer. */
export const wheelPin = `kernel/install/tensorflow-${target}.txt`;

const builtBinding = join(folder, "lib/napi-v8/tfjs_binding.node");
const loads = () => works(process.execPath, ["-e", "require('@tensorflow/tfjs-node')"]);
const binding = () =>
  existsSync(join(folder, "lib"))
    ? readdirSync(join(folder, "lib"), { recursive: true }).find((name) => name.endsWith("tfjs_binding.node"))
    : undefined;
export const tensorflowIntact = () => Boolean(binding());

/** Runs the package's installer, which downloads the library and a binding. */
function runInstaller(timeout) {
  const env = { npm_config_ignore_scripts: "false" };
  if (existsSync(venvBin("python"))) env.npm_config_python = venvBin("python");
  npm(
    [
      "rebuild",
      "@tensorflow/tfjs-node",
      "--ignore-scripts=false",
      "--foreground-scripts",
      "--loglevel=error",
    ],
    { env, timeout },
  );
}

/** A short knock at the host the installer downloads from, so that a silent firewall costs seconds, not minutes. */
function officialHostAnswers() {
  if (process.env.HTTPS_PROXY || process.env.https_proxy) return true;
  const knock =
    "const s = require('node:tls').connect({ host: 'storage.googleapis.com', port: 443, servername: 'storage.googleapis.com', timeout: 8000 }, () => process.exit(0)); s.on('error', () => process.exit(1)); s.on('timeout', () => process.exit(1));";
  return spawnSync(process.execPath, ["-e", knock], { stdio: "ignore", timeout: 10_000 }).status === 0;
}

function official() {
  if (!officialHostAnswers()) throw new Error("the host of TensorFlow's own download does not answer");
  rmSync(join(folder, "deps"), { recursive: true, force: true });
  let failure = new Error("the package's installer ended well, but the package does not load");
  try {
    runInstaller(30 * 60_000);
  } catch (error) {
    failure = error;
  }
  if (loads()) return;
  // It has the library, and its own build of the binding failed.
  if (windows || !existsSync(join(folder, "deps/lib"))) throw failure;
  buildBinding();
}

/** Builds the package's binding for the library in deps/. */
function buildBinding() {
  const products = ".cache/tfjs-binding";
  build("kernel/install/tfjsBinding", products, { definitions: [`-DTFJS_NODE_DIR=${folder}`] });
  mkdirSync(dirname(builtBinding), { recursive: true });
  copyFileSync(at(products, "tfjs_binding.node"), builtBinding);
  if (!loads()) throw new Error("the binding was built for the library that is there, but does not load");
}

/** A second name for a big file: a hard link, or a copy across disks. */
function place(from, to) {
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

const extract = `
import glob, os, sys, zipfile
store = sys.argv[1]
headers = ("tensorflow/include/tensorflow/c/", "tensorflow/include/tsl/c/")
with zipfile.ZipFile(glob.glob(os.path.join(store, "wheel", "*.whl"))[0]) as wheel:
    for name in wheel.namelist():
        if name.endswith("/"):
            continue
        if name in ("tensorflow/libtensorflow_cc.so.2", "tensorflow/libtensorflow_framework.so.2"):
            relative = "lib/" + os.path.basename(name)
        elif name.startswith(headers) or (name.startswith("tensorflow/include/") and "/platform/ctstring" in name):
            relative = "include/" + name[len("tensorflow/include/"):]
        else:
            continue
        path = os.path.join(store, relative)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with wheel.open(name) as source, open(path, "wb") as sink:
            while chunk := source.read(1 << 20):
                sink.write(chunk)
`;

/** Downloads and unpacks the pinned wheel into .cache once; returns the folder. */
function unpackedWheel() {
  const store = join(cache, `tensorflow-${target}-${fingerprint([wheelPin]).slice(0, 12)}`);
  if (existsSync(store)) return store;
  const aside = `${store}.partial`;
  rmSync(aside, { recursive: true, force: true });
  mkdirSync(aside, { recursive: true });
  const platforms = ["manylinux2014_x86_64", "manylinux_2_17_x86_64"].flatMap((name) => ["--platform", name]);
  run(venvBin("python"), [
    "-m",
    "pip",
    "download",
    "--no-cache-dir",
    "--quiet",
    "--disable-pip-version-check",
    "--no-deps",
    "--only-binary=:all:",
    "--require-hashes",
    "--python-version",
    "3.11",
    ...platforms,
    "--dest",
    join(aside, "wheel"),
    "-r",
    at(wheelPin),
  ]);
  run(venvBin("python"), ["-c", extract, aside]);
  rmSync(join(aside, "wheel"), { recursive: true });
  renameSync(aside, store);
  return store;
}

function fromWheel() {
  const store = unpackedWheel();
  const library = join(folder, "deps/lib");
  rmSync(join(folder, "deps"), { recursive: true, force: true });
  mkdirSync(library, { recursive: true });
  cpSync(join(store, "include"), join(folder, "deps/include"), { recursive: true });
  for (const name of names) place(join(store, "lib", name), join(library, name));
  symlinkSync(names[0], join(library, "libtensorflow.so"));
  symlinkSync(names[1], join(library, "libtensorflow_framework.so"));
  const kept = join(store, "tfjs_binding.node");
  if (existsSync(kept)) {
    mkdirSync(dirname(builtBinding), { recursive: true });
    place(kept, builtBinding);
    if (loads()) return;
  }
  buildBinding();
  copyFileSync(builtBinding, `${kept}.new`);
  renameSync(`${kept}.new`, kept);
}

const withoutNoise = (message) => message.split("\n").slice(0, 3).join(" ");

/** The step itself: returns which source was used. */
export function installTensorflow() {
  if (loads()) return "already working";
  const source = join(folder, ".lutnn-source");
  if (!existsSync(at(wheelPin))) {
    official();
    writeFileSync(source, "official\n");
    return "official library";
  }
  try {
    official();
    writeFileSync(source, "official\n");
    return "official library";
  } catch (error) {
    console.log(
      `  TensorFlow's own download did not work (${withoutNoise(error.message)}); taking the library from PyPI`,
    );
  }
  fromWheel();
  writeFileSync(source, "PyPI wheel\n");
  return "library from the PyPI wheel, hash checked";
}
