import { mkdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { LutnnError } from "../../errors";
import { abandonedBeside, claimAside, releaseAside } from "../aside";
import { fileError } from "../fileError";
import { makeFolder } from "../makeFolder";
import { UnpackFolder, type UnpackLimits } from "./folder";
import { unpackTar } from "./tar";
import { unpackZip } from "./zip";

export type { UnpackLimits } from "./folder";

/**
 * Unpacks archives (.tar, .tar.gz, .tgz, .zip, .whl) into one new folder: beside it under another name, then renamed, so that
 * it is there whole or not at all. Only files and folders below it are made, at most as many as `limits` say.
 * `onUnpacked` is told the bytes that are there so far.
 *
 * Throws LutnnError on damaged and hostile archives, where the folder exists, and where the disk fails; the signal's
 * reason when it is aborted.
 */
export async function unpackArchives(
  archives: readonly string[],
  folder: string,
  limits: UnpackLimits,
  signal: AbortSignal,
  onUnpacked?: (bytes: number) => void,
): Promise<void> {
  const aside = claimAside(folder);
  try {
    if (await stat(folder).catch(() => null))
      throw new LutnnError(
        `unpack: the folder must be new (got ${JSON.stringify(folder)}); delete it or what is missing in it`,
      );
    await makeFolder(dirname(folder));
    for (const left of await abandonedBeside(folder)) await rm(left, { recursive: true, force: true });
    await mkdir(aside);
    const target = new UnpackFolder(aside, limits, onUnpacked);
    for (const archive of archives) {
      signal.throwIfAborted();
      if (/\.(tar|tar\.gz|tgz)$/i.test(archive)) await unpackTar(archive, target, limits, signal);
      else if (/\.(zip|whl)$/i.test(archive)) await unpackZip(archive, target, signal);
      else
        throw new LutnnError(
          `unpack: the archive must be .tar, .tar.gz, .tgz, .zip or .whl (got ${JSON.stringify(basename(archive))}); unpack it otherwise`,
        );
    }
    await rename(aside, folder);
  } catch (error) {
    await rm(aside, { recursive: true, force: true }).catch(() => undefined); // the first error says more
    throw fileError("unpack", folder, error);
  } finally {
    releaseAside(aside);
  }
}
