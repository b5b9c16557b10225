import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import { dirname } from "node:path";
import vm from "node:vm";

/**
 * Loads a large CommonJS file together with what V8 has compiled of it in an earlier process: of the TypeScript
 * compiler's 9 MB that saves about half of the time. A cache that is missing, of another version of V8 or damaged is
 * made anew; one that cannot be written is done without.
 * @param cacheFile null for no cache
 * @returns the file's exports, and what writes the cache if it is worth it; call that once the code has done its work
 */
export function requireCached(file: string, cacheFile: string | null): { exports: unknown; save(): void } {
  const cachedData = cacheFile ? readIfThere(cacheFile) : undefined;
  const script = new vm.Script(Module.wrap(readFileSync(file, "utf8")), { filename: file, cachedData });
  const module = new Module(file);
  const evaluate: (...args: unknown[]) => void = script.runInThisContext();
  evaluate.call(module.exports, module.exports, createRequire(file), module, file, dirname(file));
  const save = () => {
    if (!cacheFile || (cachedData && !script.cachedDataRejected)) return;
    try {
      mkdirSync(dirname(cacheFile), { recursive: true });
      const draft = `${cacheFile}.${process.pid}`;
      writeFileSync(draft, script.createCachedData());
      renameSync(draft, cacheFile);
    } catch {
      // A read-only home costs time, nothing else.
    }
  };
  return { exports: module.exports, save };
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}
