// CMake: of the machine, else from PyPI inside .venv. It builds in folders of any name, which node-gyp does not.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { at, pip, root, run, venvBin, works } from "./workspace.mjs";

function cmake() {
  if (works("cmake")) return "cmake";
  if (!works(venvBin("cmake")))
    pip("install", "--require-hashes", "-r", at("kernel/install/requirements-cmake.txt"));
  return venvBin("cmake");
}

/** A checkout that was moved or copied has a build folder that CMake refuses: it is made anew. */
function dropForeign(folder, source) {
  const cache = join(folder, "CMakeCache.txt");
  if (!existsSync(cache)) return;
  const home = /^CMAKE_HOME_DIRECTORY:INTERNAL=(.*)$/m.exec(readFileSync(cache, "utf8"))?.[1];
  if (home !== source.replaceAll("\\", "/")) rmSync(folder, { recursive: true });
}

/**
 * Configures and builds `source` in `folder`, both below the checkout.
 * @param {string} source
 * @param {string} folder
 * @param {{ definitions?: string[], targets?: string[] }} [options] definitions like -DNAME=VALUE; all targets where none is named
 */
export function build(source, folder, { definitions = [], targets = [] } = {}) {
  dropForeign(join(root, folder), join(root, source));
  const program = cmake();
  const env = { PATH: `${process.env.PATH}${delimiter}${dirname(venvBin("python"))}` };
  const headers = at("node_modules/node-api-headers").replaceAll("\\", "/");
  const common = ["-DCMAKE_BUILD_TYPE=Release", `-DNODE_API_DIR=${headers}`];
  run(program, ["-S", source, "-B", folder, ...common, ...definitions], { env });
  const chosen = targets.flatMap((target) => ["--target", target]);
  run(program, ["--build", folder, "--config", "Release", "--parallel", "2", ...chosen], { env });
}
