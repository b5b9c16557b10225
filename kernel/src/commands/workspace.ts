import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Workspace {
  /** The folder in which JupyterLab keeps its layout. */
  folder: string;
  /** Leaves it to the next lab. */
  release(): void;
}

/**
 * A folder for the layout of a lab that serves `root`, which no running lab uses: the first lab finds its tabs again the
 * next time, a second one beside it has its own.
 * @param base the folder that holds such folders
 */
export function claimWorkspace(base: string, root: string): Workspace {
  const name = createHash("sha256").update(root).digest("hex").slice(0, 12);
  for (let number = 1; ; number++) {
    const folder = join(base, `${name}-${number}`);
    const owner = join(folder, "owner.pid");
    mkdirSync(folder, { recursive: true });
    if (claim(owner)) return { folder, release: () => rmSync(owner, { force: true }) };
  }
}

/** Writes this process into the file, unless another one that still runs stands there. */
function claim(owner: string): boolean {
  try {
    writeFileSync(owner, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  if (isRunning(readFileSync(owner, "utf8"))) return false;
  rmSync(owner, { force: true });
  return claim(owner);
}

function isRunning(pid: string): boolean {
  try {
    process.kill(Number(pid), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
