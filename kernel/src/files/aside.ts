import { createHash, randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

// What is in the making stands beside what it is to become, as NAME.HOST-PID-RANDOM.part: so a later process can tell
// what a killed one left behind from what another one is at.

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
/** Paths that this process is at. */
const inUse = new Set<string>();

/** A new path beside `path`, of this process until {@link releaseAside}. */
export function claimAside(path: string): string {
  const random = randomUUID().slice(0, 8);
  const aside = join(dirname(path), `${shortName(path)}.${host}-${process.pid}-${random}.part`);
  inUse.add(aside);
  return aside;
}

export const releaseAside = (aside: string): void => void inUse.delete(aside);

/** What processes of this machine that have ended, or this one, left beside `path`. */
export async function abandonedBeside(path: string): Promise<string[]> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  const start = `${shortName(path)}.`;
  return names
    .filter((name) => {
      if (!name.startsWith(start)) return false;
      const [, machine, process] =
        /^([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.part$/.exec(name.slice(start.length)) ?? [];
      return machine === host && !isAlive(Number(process));
    })
    .map((name) => join(folder, name))
    .filter((left) => !inUse.has(left));
}

/** Its beginning only: with all of it the name could be too long. */
const shortName = (path: string) => basename(path).slice(0, 80);

/** Of this process every path that it is at is known. */
function isAlive(id: number): boolean {
  if (id === process.pid) return false;
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
