import { createHash, randomUUID } from "node:crypto";
import { readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname, join } from "node:path";

// What is in the making stands beside what it is to become, as NAME.HOST-PID-START-RANDOM.part: so a later process can
// tell what a killed one left behind from what another one is at, whatever happens to the clock.

const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
/** Paths of this thread's, and whether it is at them still. */
const own = new Map<string, boolean>();
/** When this process began, in ms of the clock that nobody can set: the same number in each of its threads, nearly. */
const began = Math.round(Number(process.hrtime.bigint()) / 1e6 - process.uptime() * 1000);
const beganWithinMs = 10;

/** A new path beside `path`, of this process until {@link releaseAside}. */
export function claimAside(path: string): string {
  const random = randomUUID().slice(0, 8);
  const aside = join(dirname(path), `${shortName(path)}.${host}-${process.pid}-${began}-${random}.part`);
  own.set(aside, true);
  return aside;
}

export const releaseAside = (aside: string): void => void own.set(aside, false);

/** Names of what is in the making: of what it is to become, its machine, its process and when that began. */
const pattern = /^(.{1,40})\.([0-9a-f]{8})-(\d+)-(\d+)-[0-9a-f]{8}\.part$/s;

/**
 * Of something that is or was in the making, the name of what it was to become, at most its first 40 characters; null for
 * every other name.
 */
export const partialOf = (name: string): string | null => pattern.exec(name)?.[1] ?? null;

/** What processes of this machine that have ended, or this one, left beside `path`. */
export async function abandonedBeside(path: string): Promise<string[]> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => []);
  const wanted = shortName(path);
  const isAbandoned = (name: string): boolean => {
    const [, short, machine, process, since] = pattern.exec(name) ?? [];
    return (
      short === wanted && machine === host && !isInUse(join(folder, name), Number(process), Number(since))
    );
  };
  return names.filter(isAbandoned).map((name) => join(folder, name));
}

/** Its beginning only: with all of it the name could be too long. No half of a surrogate pair, which no file name keeps. */
const shortName = (path: string) =>
  basename(path)
    .slice(0, 40)
    .replace(/[\ud800-\udbff]$/, "");

/** Whether the process with that id that began then, or this one, is at it. */
function isInUse(aside: string, id: number, since: number): boolean {
  if (id !== process.pid) return isAlive(id);
  // One before this process had the same id, as in a container.
  if (Math.abs(since - began) > beganWithinMs) return false;
  return own.get(aside) ?? true; // another thread's
}

function isAlive(id: number): boolean {
  try {
    process.kill(id, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
