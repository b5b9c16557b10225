import { readdir } from "node:fs/promises";
import { LutnnError } from "../../errors";
import type { Holder } from "./holder";

// The state of a cell is the name of one file in its folder, and every change of it is one rename, which either happens or
// does not: `lease.TOKEN.free`, `lease.TOKEN.SYSTEM-PID-RANDOM`, `done.TOKEN`. A rename from a name that is no longer there
// fails, so a holder whose lease another has taken over can neither renew nor finish.

/** `token` counts how often the cell was taken: it fences what an earlier holder still writes. */
export type CellState =
  | { kind: "free"; token: number; marker: string }
  | { kind: "held"; token: number; marker: string; holder: Holder }
  | { kind: "done"; token: number; marker: string };

export const freeMarker = (token: number): string => `lease.${token}.free`;
export const doneMarker = (token: number): string => `done.${token}`;
export const heldMarker = (token: number, { system, pid, random }: Holder): string =>
  `lease.${token}.${system}-${pid}-${random}`;

/** What a name of a file says; null for other files. */
export function readMarker(marker: string): CellState | null {
  const [, done] = /^done\.(\d+)$/.exec(marker) ?? [];
  if (done !== undefined) return { kind: "done", token: Number(done), marker };
  const [, free] = /^lease\.(\d+)\.free$/.exec(marker) ?? [];
  if (free !== undefined) return { kind: "free", token: Number(free), marker };
  const [, token, system, pid, random] =
    /^lease\.(\d+)\.([0-9a-f]{8})-(\d+)-([0-9a-f]{8})$/.exec(marker) ?? [];
  if (token === undefined) return null;
  return { kind: "held", token: Number(token), marker, holder: { system, pid: Number(pid), random } };
}

/** A folder is listed while another process renames: then the marker may be missed. Lists in a row before that is no chance. */
const mostTries = 200;

/** The state of the cell in a folder; null where there is no such folder. */
export async function readState(folder: string): Promise<CellState | null> {
  for (let i = 0; i < mostTries; i++) {
    const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") return null;
      throw error;
    });
    if (names === null) return null;
    const states = names.map(readMarker).filter((state) => state !== null);
    // Two may be seen of one that was renamed meanwhile; the later one is there.
    const newest = states.sort(
      (a, b) => b.token - a.token || Number(b.kind === "done") - Number(a.kind === "done"),
    )[0];
    if (newest) return newest;
    await new Promise(setImmediate);
  }
  throw new LutnnError(
    `cell: the folder ${folder} must hold a marker named lease.… or done.… (it holds none); it is damaged, so delete it`,
  );
}
