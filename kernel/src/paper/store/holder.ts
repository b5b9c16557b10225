import { createHash, randomUUID } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** Who holds a cell: which system, which process there, and which of its holds. */
export interface Holder {
  /** 8 hexadecimal digits that stand for this boot of this machine and its space of process numbers. */
  system: string;
  pid: number;
  /** 8 hexadecimal digits. */
  random: string;
}

const quietly = (read: () => string): string => {
  try {
    return read();
  } catch {
    return "";
  }
};

/** Containers of one machine share its boot but not its process numbers. */
const system = createHash("sha256")
  .update(hostname())
  .update(quietly(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8")))
  .update(quietly(() => readlinkSync("/proc/self/ns/pid")))
  .digest("hex")
  .slice(0, 8);

export const newHolder = (): Holder => ({ system, pid: process.pid, random: randomUUID().slice(0, 8) });

/**
 * Whether a holder is known to have ended. One on another system is never known to have; one whose number another process
 * has by now counts as alive: in both cases its heartbeat tells, later.
 */
export function hasEnded(holder: Holder): boolean {
  if (holder.system !== system) return false;
  try {
    process.kill(holder.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== "EPERM";
  }
}
