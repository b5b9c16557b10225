import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { LutnnError } from "../errors";
import { checkoutRoot, requireVenvProgram } from "./checkout";

/** JupyterLab's options that show a notebook, in the checkout's folder when it lies there, else in its own. */
function openingOptions(notebook: string): string[] {
  const path = resolve(notebook);
  if (!existsSync(path)) throw new LutnnError(`lab: the notebook ${notebook} must exist (it does not)`);
  const inside = relative(checkoutRoot, path);
  const root = inside.startsWith("..") || isAbsolute(inside) ? dirname(path) : checkoutRoot;
  const url = relative(root, path).split(sep).map(encodeURIComponent).join("/");
  return [`--ServerApp.root_dir=${root}`, `--LabApp.default_url=/lab/tree/${url}`];
}

/** Opens JupyterLab of the checkout's environment, on a notebook if one is given; returns its exit status. */
export async function openLab(notebook: string | undefined, extra: string[]): Promise<number> {
  const program = requireVenvProgram("jupyter-lab");
  const opening = notebook ? openingOptions(notebook) : [`--ServerApp.root_dir=${checkoutRoot}`];
  const child = spawn(program, [...opening, ...extra], { cwd: checkoutRoot, stdio: "inherit" });
  // Ctrl-C goes to JupyterLab too, which asks before it stops; wait for its answer. A plain end is passed on.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("close", (code) => done(code ?? 1));
  });
}
