import { constants } from "node:os";
import { LutnnError } from "../errors";

const notPermitted =
  "you must have the right to do so; check its rights and those of its folder, or choose another path";
const notAFile = "it must be a file, but a folder has that name; add a file name or choose another path";
const notAFolder = "every folder on the way must be one, but one of them is a file; choose another path";

/** What an error of the file system means for who asked, and what to do. */
const meanings: Record<string, string> = {
  ENOSPC: "the disk must have room for it; free some space or choose another disk",
  EDQUOT: "your quota on that disk must have room for it; free some space or choose another disk",
  EFBIG: "it must be no larger than the file system allows; choose another disk",
  ENOENT: "it must exist, with every folder on the way; check the path",
  ENOTDIR: notAFolder,
  EEXIST: notAFolder,
  EISDIR: notAFile,
  ERR_FS_EISDIR: notAFile,
  EACCES: notPermitted,
  EPERM: notPermitted,
  EROFS: "the disk must not be read-only; choose another path",
  ENAMETOOLONG: "its name must be one that the file system takes; choose a shorter one",
  EINVAL: "its name must be one that the file system takes; choose another one",
  ERR_INVALID_ARG_VALUE: "its name must have no null character; choose another one",
  ELOOP: "its symbolic links must end at a file; check them",
  EMFILE: "the process must not have too many files open; close some or raise the limit",
  ENFILE: "the system must not have too many files open; close some or raise the limit",
  EIO: "the disk must work; check it, or choose another",
};

/** TensorFlow's file errors, by its status, as the system calls them. */
const tensorflowCodes: Record<string, string> = { 5: "ENOENT", 7: "EACCES", 8: "ENOSPC" };

/** What the system, Node.js or TensorFlow calls a failure of the file system; null for another error. */
function codeOf(error: Error): string | null {
  const { code = "", syscall, errno } = error as NodeJS.ErrnoException;
  if (errno === -constants.errno.EDQUOT) return "EDQUOT"; // Node.js has no name for it on Linux
  if (Object.hasOwn(meanings, code) || syscall) return code;
  const status = /Invalid TF_Status: (\d+)/.exec(error.message)?.[1];
  return status === undefined ? null : (tensorflowCodes[status] ?? `TensorFlow's status ${status}`);
}

/** Whether an error is what {@link fileError} made of one of the file system. */
export const isFileError = (error: unknown): boolean =>
  error instanceof LutnnError && error.cause instanceof Error && codeOf(error.cause) !== null;

/**
 * An error of the file system as a LutnnError of one sentence, that error being its cause; a LutnnError, and what does not come from the file system,
 * as it is. `doing` opens the sentence ("save", "log"), `path` is what it was about.
 */
export function fileError(doing: string, path: string, error: unknown): unknown {
  if (error instanceof LutnnError || !(error instanceof Error)) return error;
  const code = codeOf(error);
  if (code === null) return error;
  const meaning = meanings[code] ?? "the file system must allow it; check the path and the disk";
  return new LutnnError(`${doing}: ${meaning} (got ${code} for ${JSON.stringify(path)})`, { cause: error });
}
