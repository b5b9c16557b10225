import { execFileSync } from "node:child_process";
import { cpSync } from "node:fs";
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
  const code = "import sysconfig; print(sysconfig.get_paths()['purelib'])";
  let folder: string;
  try {
    folder = execFileSync(python, ["-c", code], { encoding: "utf8" }).trim();
  } catch (error) {
    throw new LutnnError(
      `papermill translator: a working Python is needed (got ${python}: ${error instanceof Error ? error.message : error}); name the one that papermill is installed in`,
    );
  }
  cpSync(pythonFolder, folder, { recursive: true, filter: (path) => !path.includes("__pycache__") });
  return folder;
}
