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

/** TensorFlow's file errors, by its status, as the system calls them. */
const tensorflowCodes: Record<string, string> = { 7: "EACCES", 8: "ENOSPC" };

function codeOf(error: unknown): string | undefined {
  const { code, message } = error as NodeJS.ErrnoException;
  const status = /Invalid TF_Status: (\d+)/.exec(message)?.[1];
  return code ?? (status && tensorflowCodes[status]);
}

/** What the system said about a folder or a file in it, as a sentence; `what` is the rule that was broken. */
export function folderError(what: string, error: unknown): LutnnError {
  if (error instanceof LutnnError) return error;
  const code = codeOf(error);
  const said = code ?? (error as Error).message.replace(/\s+/g, " ").slice(0, 200);
  const remedy = (code && remedies[code]) ?? "choose another folder";
  return new LutnnError(`${what.replaceAll("\0", "\\0")} (${said}); ${remedy}`, { cause: error });
}
