import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** Where it can be built and loaded; elsewhere these tests have nothing to stand in for the system. */
export const canShim = process.platform === "linux";

/**
 * Builds shim.c, or another source, in a folder.
 * @param {string} folder
 * @param {string} [source]
 * @returns {NodeJS.ProcessEnv} in which a process has it
 */
export function withShim(folder, source = join(import.meta.dirname, "shim.c")) {
  const library = join(folder, "shim.so");
  execFileSync(process.env.CC ?? "cc", [
    "-O1",
    "-shared",
    "-fPIC",
    source,
    "-o",
    library,
    "-ldl",
    "-lpthread",
  ]);
  return { ...process.env, LD_PRELOAD: library, TF_CPP_MIN_LOG_LEVEL: "1" };
}
