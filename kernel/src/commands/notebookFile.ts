import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { defaultKernelName, kernelspec } from "../jupyter/kernelspec";
import { UsageError } from "./usageError";

/** A notebook of one empty cell that opens with this kernel. */
function emptyNotebook(): string {
  const { display_name, language } = kernelspec();
  const cell = {
    cell_type: "code",
    execution_count: null,
    id: "first-cell",
    metadata: {},
    outputs: [],
    source: [],
  };
  const metadata = {
    kernelspec: { display_name, language, name: defaultKernelName },
    language_info: { file_extension: ".ts", mimetype: "text/typescript", name: "typescript" },
  };
  return `${JSON.stringify({ cells: [cell], metadata, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`;
}

/** What Jupyter must find in a file to call it a notebook; null when it is one. */
function faultOf(text: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "it is not JSON";
  }
  if (typeof value !== "object" || value === null || !("nbformat" in value)) return "it has no nbformat";
  const { nbformat } = value;
  if (nbformat !== 3 && nbformat !== 4) return `its nbformat is ${JSON.stringify(nbformat)}`;
  return "cells" in value || nbformat === 3 ? null : "it has no cells";
}

/**
 * The absolute path of a notebook that is there. Throws UsageError when it is missing, a folder or no notebook.
 * @param folder what a relative path starts from
 */
export function requireNotebook(command: string, path: string, folder = process.cwd()): string {
  const file = resolve(folder, path);
  const status = statSync(file, { throwIfNoEntry: false });
  if (!status) throw new UsageError(`${command}: the notebook ${path} must exist (it does not)`);
  if (status.isDirectory())
    throw new UsageError(
      `${command}: the notebook must be a file (got the folder ${path}); name an .ipynb file`,
    );
  const fault = faultOf(readFileSync(file, "utf8"));
  if (fault)
    throw new UsageError(
      `${command}: the file must be a Jupyter notebook, JSON with nbformat and cells (got ${path}: ${fault})`,
    );
  return file;
}

/** What to write where no notebook is yet; throws UsageError where none can be. */
export function newNotebook(command: string, path: string, file: string): string {
  if (!file.endsWith(".ipynb"))
    throw new UsageError(`${command}: a new notebook's name must end in .ipynb (got ${path})`);
  if (!existsSync(dirname(file)))
    throw new UsageError(
      `${command}: the folder of a new notebook must exist (got ${path}); make ${dirname(file)} first`,
    );
  return emptyNotebook();
}
