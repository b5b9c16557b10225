import { basename, dirname, join } from "node:path";
import { LutnnError } from "../errors";
import { readFileWhole } from "../files/readFile";
import { readModel } from "../onnx/readModel";
import { stateKey, workKey } from "./fileMetadata";

/** The folder beside a file that its work is stored in. */
export const workFolder = (path: string): string => `${path}.work`;

/** Where a file's work is stored, and which of its states the file was saved from. */
export interface FileWork {
  folder: string;
  /** See {@link fingerprint}. */
  state: string;
  /** What the file is called in errors. */
  file: string;
}

const doing = "openConversion";

/**
 * What a saved file says of the work that it was saved from. Throws LutnnError on what is no such file, and where the file
 * does not tell of its work and `work` does not either.
 * @param file path or bytes
 * @param work the folder, where it is not the one beside the file
 */
export async function workOfFile(file: string | Uint8Array, work?: string): Promise<FileWork> {
  const name = typeof file === "string" ? JSON.stringify(file) : "these bytes";
  const bytes = typeof file === "string" ? await readFileWhole(file, doing) : file;
  const model = readModel(bytes, `${doing}: ${name}`);
  const said = new Map(model.metadataProps.map(({ key, value }) => [key, value]));
  const state = said.get(stateKey);
  if (state === undefined)
    throw new LutnnError(
      `${doing}: the file must be one that conversion.save wrote (got ${name}, which does not say so); fromOnnx(file) makes a network of a dense one, InferenceSession.create(file) runs any`,
    );
  if (work !== undefined) return { folder: work, state, file: name };
  const folder = said.get(workKey);
  if (folder === undefined)
    throw new LutnnError(
      `${doing}: the work that a file was saved from must be stored to go on with it (got ${name}, in which dense weights, tables and temperatures as they are trained are not); save it with { reopen: true }, or give the folder of conversion.store as { work: folder }`,
    );
  if (typeof file !== "string")
    throw new LutnnError(
      `${doing}: bytes must come with the folder of their work (got none, and it is called ${JSON.stringify(folder)}); give it as { work: folder }`,
    );
  if (folder !== basename(folder) || folder === "" || folder === "." || folder === "..")
    throw new LutnnError(
      `${doing}: the work of a file must lie beside it (got ${JSON.stringify(folder)} from ${name}); give its folder as { work: folder }`,
    );
  return { folder: join(dirname(file), folder), state, file: name };
}
