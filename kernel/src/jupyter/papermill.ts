import { execFileSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { LutnnError } from "../errors";

/** Holds a Python module and its metadata, as an installed package has them. */
export const pythonFolder = join(__dirname, "../../python/papermill");

/**
 * Teaches papermill, in the environment of this Python, to put parameters into TypeScript notebooks. Installing again
 * does no harm.
 * @returns the folder that was installed into
 */
export function installPapermillTranslator(python: string): string {
  const folder = packagesOf(python);
  cpSync(pythonFolder, folder, { recursive: true, filter: (path) => !path.includes("__pycache__") });
  return folder;
}

/** @returns the folder that it was removed from, or null when it was not there */
export function removePapermillTranslator(python: string): string | null {
  const folder = packagesOf(python);
  const paths = readdirSync(pythonFolder)
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path));
  for (const path of paths) rmSync(path, { recursive: true });
  return paths.length > 0 ? folder : null;
}

/** Where this Python's environment keeps its packages. */
function packagesOf(python: string): string {
  try {
    const code = "import sysconfig; print(sysconfig.get_paths()['purelib'])";
    const output = execFileSync(python, ["-c", code], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    return output.trim();
  } catch (error) {
    throw new LutnnError(
      `papermill translator: a working Python is needed (got ${python}: ${error instanceof Error ? error.message : error}); name the one that papermill is installed in`,
    );
  }
}
