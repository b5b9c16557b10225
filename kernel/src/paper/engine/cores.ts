import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Numbers of the processors that this process may run on; null where the system does not say. */
function allowedCores(): number[] | null {
  try {
    const [, list] = /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync("/proc/self/status", "utf8")) ?? [];
    return list.split(",").flatMap((range) => {
      const [from, to = from] = range.split("-").map(Number);
      return Array.from({ length: to - from + 1 }, (_, at) => from + at);
    });
  } catch {
    return null;
  }
}

const hasTaskset = (): boolean => spawnSync("taskset", ["--version"], { stdio: "ignore" }).status === 0;

/**
 * The words in front of a command that keep each of `jobs` processes on its own share of `cores` processors: none where that
 * is all there are for one process, or the system has no way to.
 */
export function coreShares(cores: number, jobs: number): string[][] {
  const free = Array.from({ length: jobs }, (): string[] => []);
  if (jobs === 1 && cores >= availableParallelism()) return free;
  const allowed = allowedCores();
  if (!allowed || !hasTaskset()) return free;
  const each = Math.max(1, Math.floor(cores / jobs));
  return free.map((_, job) => {
    const own = Array.from({ length: each }, (_, at) => allowed[(job * each + at) % allowed.length]);
    return ["taskset", "-c", own.join(",")];
  });
}
