import { readFileSync, writeFileSync } from "node:fs";

/** What reading one of these small files may take beside what the process has already. */
const mostMiB = 64;
/** Of all its threads, a collection of garbage among them: the files have a few kilobytes. */
const mostCpuSeconds = 2;

const isLinux = process.platform === "linux";
/** MiB of a field of the process's status. */
const memory = (field: string, status: string): number =>
  Number(new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN) / 1024;
const status = () => readFileSync("/proc/self/status", "latin1");

/** Begins to watch; the function says what was too much, or null. Memory is watched on Linux alone. */
export function watch(): () => string | null {
  const cpu = process.cpuUsage();
  let before = 0;
  if (isLinux) {
    writeFileSync("/proc/self/clear_refs", "5"); // the highest memory is counted anew
    before = memory("VmRSS", status());
  }
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    const seconds = (user + system) / 1e6;
    if (seconds > mostCpuSeconds) return `it took ${seconds.toFixed(1)} s of processors`;
    if (!isLinux) return null;
    const grown = memory("VmHWM", status()) - before;
    return grown > mostMiB ? `it took ${grown.toFixed(0)} MiB more than there were` : null;
  };
}
