import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { checkoutRoot, requireVenvProgram } from "./checkout";

/** Opens JupyterLab of the checkout's environment on a notebook; returns its exit status. */
export async function openLab(notebook: string | undefined, extra: string[]): Promise<number> {
  const program = requireVenvProgram("jupyter-lab");
  const target = notebook ? [resolve(notebook)] : [];
  const child = spawn(program, [...target, ...extra], { cwd: checkoutRoot, stdio: "inherit" });
  // Ctrl-C goes to JupyterLab too, which asks before it stops; wait for its answer.
  process.on("SIGINT", () => {});
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("close", (code) => done(code ?? 1));
  });
}
