import type { Stats } from "node:fs";
import { LutnnError } from "../errors";

/** Throws LutnnError on what is no regular file: a rename would put it aside, reading it might never end. */
export function requireRegular(doing: string, path: string, found: Stats): void {
  if (found.isFile()) return;
  const [kind, remedy] = found.isDirectory()
    ? ["folder", "add a file name or choose another path"]
    : ["device, pipe or socket", "choose another path"];
  throw new LutnnError(
    `${doing}: the path must name a file, but a ${kind} is there (got ${JSON.stringify(path)}); ${remedy}`,
  );
}
