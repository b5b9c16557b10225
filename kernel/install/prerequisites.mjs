// What has to be on the machine before the set-up starts, checked all at once: nobody waits for a download
// only to learn afterwards that a compiler is missing.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cache, output, windows, works } from "./workspace.mjs";

const [major, minor] = process.versions.node.split(".").map(Number);

/** Python ≥ 3.10 of the user's choice ($PYTHON) or from PATH; null when there is none. */
export const python = () =>
  [process.env.PYTHON, "python3", "python", "python3.13", "python3.12", "python3.11", "python3.10"].find(
    (name) => name && works(name, ["-c", "import sys; sys.exit(sys.version_info < (3, 10))"]),
  ) ?? null;

/** C++20 as far as native/ uses it; its oldest compilers know it by the name of its draft. */
function compilesCpp20() {
  if (windows) return works("where", ["cl"]) || works("where", ["msbuild"]);
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "compiler-probe-"));
  try {
    const source = join(folder, "probe.cc");
    writeFileSync(source, "struct Named { int a = 0, b = 0; };\nint main() { return Named{.b = 0}.b; }\n");
    return [process.env.CXX, "c++", "g++", "clang++"].some(
      (compiler) => compiler && works(compiler, ["-std=c++2a", source, "-o", join(folder, "probe")]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const checks = {
  node: () =>
    (major === 20 && minor >= 19) || major === 22
      ? null
      : `Node.js 20 (from 20.19) or 22 is needed; this is ${process.version}. tfjs-node 4.22 calls functions that Node 23 removed. Install Node 22 (with nvm: nvm install 22).`,
  python: () => {
    const name = python();
    if (!name)
      return `Python 3.10 or newer is needed for JupyterLab; found ${output("python3") ?? "none"}. Debian and Ubuntu: apt install python3 python3-venv python3-pip. macOS: brew install python. Windows: winget install Python.Python.3.12. PYTHON=/path/to/python chooses one.`;
    if (!works(name, ["-c", "import venv, ensurepip"]))
      return `${name} cannot make virtual environments. Debian and Ubuntu: apt install python3-venv python3-pip.`;
    return null;
  },
  compiler: () =>
    compilesCpp20()
      ? null
      : "A C++20 compiler is needed to build the lookup backend. Debian and Ubuntu: apt install g++. Fedora: dnf install gcc-c++. macOS: xcode-select --install. Windows: Visual Studio Build Tools, workload “Desktop development with C++”. CXX=/path/to/compiler chooses one.",
};

/** Sentences about what is missing, empty when all is there. `names`: node, python, compiler. */
export const missing = (names) =>
  [...new Set(names)].map((name) => checks[name]()).filter((sentence) => sentence !== null);
