import { createHash, randomUUID } from "node:crypto";
import { readdir, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

// What is in the making stands beside what it is to become, as NAME.HOST-PID-RANDOM.part: so a later process can tell
// what a killed one left behind from what another one is at.

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
/** Paths of this thread's, and whether it is at them still. */
const own = new Map<string, boolean>();
/** When this process began, in ms of the epoch. */
const began = Date.now() - process.uptime() * 1000;

/** A new path beside `path`, of this process until {@link releaseAside}. */
export function claimAside(path: string): string {
  const random = randomUUID().slice(0, 8);
  const aside = join(dirname(path), `${shortName(path)}.${host}-${process.pid}-${random}.part`);
  own.set(aside, true);
  return aside;
}

export const releaseAside = (aside: string): void => void own.set(aside, false);

/**
 * Of something that is or was in the making, the name of what it was to become, at most its first 40 characters; null for
 * every other name.
 */
export const partialOf = (name: string): string | null =>
  /^(.{1,40})\.[0-9a-f]{8}-\d+-[0-9a-f]{8}\.part$/s.exec(name)?.[1] ?? null;

/** What processes of this machine that have ended, or this one, left beside `path`. */
export async function abandonedBeside(path: string): Promise<string[]> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  const start = `${shortName(path)}.`;
  const abandoned = await Promise.all(
    names.map(async (name) => {
      if (!name.startsWith(start)) return false;
      const [, machine, process] =
        /^([0-9a-f]{8})-(\d+)-[0-9a-f]{8}\.part$/.exec(name.slice(start.length)) ?? [];
      return machine === host && !(await isInUse(join(folder, name), Number(process)));
    }),
  );
  return names.filter((_, i) => abandoned[i]).map((name) => join(folder, name));
}

/** Its beginning only: with all of it the name could be too long. No half of a surrogate pair, which no file name keeps. */
const shortName = (path: string) =>
  basename(path)
    .slice(0, 40)
    .replace(/[\ud800-\udbff]$/, "");

/** Whether the process with that id, or this one, is at it. */
async function isInUse(aside: string, id: number): Promise<boolean> {
  if (id !== process.pid) return isAlive(id);
  const known = own.get(aside);
  if (known !== undefined) return known;
  // Of another thread of this process, or of one before it that had the same id, as in a container.
  const found = await stat(aside).catch(() => null);
  return found !== null && found.mtimeMs >= began;
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
