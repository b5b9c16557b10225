// npm run wheel [-- FOLDER]: one Python wheel with the JupyterLab extension, the kernelspec and the papermill translator, by
// default in out/. What the set-up has built is laid into a folder of its own, where hatchling makes the wheel: the same
// files give the same bytes. kernel/python/wheel/README.md says what is in it and how it finds the kernel.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { at, pip, run, venvBin, works } from "./workspace.mjs";

const requirements = at("kernel/install/requirements-wheel.txt");
const { kernelspec } = createRequire(import.meta.url)(at("kernel/lib/jupyter/kernelspec.js"));
const parts = at("kernel/python/wheel");

/** Not for others: the set-up's stamp of what it built. */
const isShipped = (path) => basename(path) !== ".lutnn-stamp" && basename(path) !== "__pycache__";

/** Lays all that the wheel is made of into `folder`. */
function layOut(folder) {
  cpSync(parts, folder, { recursive: true, filter: isShipped });
  cpSync(at("LICENSE"), join(folder, "LICENSE"));
  cpSync(at("extension/labextension"), join(folder, "labextension"), { recursive: true, filter: isShipped });
  cpSync(at("kernel/python/papermill/lutnn_papermill.py"), join(folder, "lutnn_papermill.py"));
  mkdirSync(join(folder, "kernelspec"));
  cpSync(at("kernel/data/logo-svg.svg"), join(folder, "kernelspec/logo-svg.svg"));
  // Jupyter puts its own Python in the place of "python".
  const spec = { ...kernelspec(), argv: ["python", "-m", "lutnn_kernel", "{connection_file}"] };
  writeFileSync(join(folder, "kernelspec/kernel.json"), `${JSON.stringify(spec, null, 2)}\n`);
}

/**
 * Builds the wheel into `out`, in place of an earlier one of the same version.
 * @param {string} out a folder, made where it is not there
 * @returns {string} the wheel's path
 */
export function buildWheel(out) {
  const python = venvBin("python");
  if (!works(python, ["-c", "import hatchling"])) pip("install", "--require-hashes", "-r", requirements);
  const folder = mkdtempSync(join(tmpdir(), "lutnn-wheel-"));
  try {
    layOut(folder);
    run(python, ["-m", "hatchling", "build", "-t", "wheel", "-d", "built"], { cwd: folder });
    const [name] = readdirSync(join(folder, "built"));
    mkdirSync(out, { recursive: true });
    cpSync(join(folder, "built", name), join(out, name));
    return join(out, name);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) console.log(buildWheel(resolve(process.argv[2] ?? at("out"))));
