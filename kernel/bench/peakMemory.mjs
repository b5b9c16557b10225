// Peak resident memory of a few training steps in a process of their own: node peakMemory.mjs NAME dense|softPq STEPS
// Prints the bytes by which the peak exceeds what was resident before the network was made.
import { readFileSync } from "node:fs";
import { contenders } from "./networks.mjs";

/** Linux's own mark of this process; elsewhere the system's, which counts kibibytes. */
function peakBytes() {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS * 1024;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
}

const [name, which, steps] = process.argv.slice(2);
const before = process.memoryUsage.rss();
const step = (await contenders[name](which))[which];
for (let i = 0; i < Number(steps); i++) step();
console.log(JSON.stringify({ bytes: peakBytes() - before }));
