import { LutnnError } from "../errors";

const remedies: Record<string, string> = {
  ENOSPC: "the disk is full; free some space or choose another folder",
  EDQUOT: "the quota is used up; free some space or choose another folder",
  EACCES: "the folder cannot be written; choose another one",
  EPERM: "the folder cannot be written; choose another one",
  EROFS: "the folder cannot be written; choose another one",
  EEXIST: "a file stands where the folder should be; choose another folder",
  ENOTDIR: "a file stands where a folder should be; choose another folder",
  EISDIR: "a folder stands where a file should be; choose another folder",
  ENAMETOOLONG: "the name is too long; choose another folder",
  ERR_INVALID_ARG_VALUE: "the name holds a character that no file can have; choose another folder",
};

/** What the system said about a folder or a file in it, as a sentence; `what` is the rule that was broken. */
export function folderError(what: string, error: unknown): LutnnError {
  if (error instanceof LutnnError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  const remedy = (code && remedies[code]) ?? "choose another folder";
  return new LutnnError(`${what.replaceAll("\0", "\\0")} (${code ?? message}); ${remedy}`, { cause: error });
}
