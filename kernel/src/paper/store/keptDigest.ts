import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join, sep } from "node:path";
import { pipeline } from "node:stream/promises";

/** SHA-256 over the names and contents of all files below a folder, as hexadecimal digits; undefined where there are none. */
export async function keptDigest(folder: string): Promise<string | undefined> {
  const whole = createHash("sha256");
  let count = 0;
  for (const name of (await readdir(folder, { recursive: true })).sort()) {
    const path = join(folder, name);
    if (!(await stat(path)).isFile()) continue;
    const content = createHash("sha256");
    await pipeline(createReadStream(path), content);
    whole.update(`${name.split(sep).join("/")}\0${content.digest("hex")}\n`);
    count++;
  }
  return count > 0 ? whole.digest("hex") : undefined;
}
