import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Table } from "../charts/table";
import { LutnnError } from "../errors";
import { fileError } from "../files/fileError";
import { checkoutRoot } from "../host/checkout";
import {
  checkedName,
  defaultKernelName,
  type InstalledKernelspec,
  type InstallPlace,
  installKernelspec,
  listKernelspecs,
  removeKernelspec,
} from "../jupyter/kernelspec";
import { installPapermillTranslator, removePapermillTranslator } from "../jupyter/papermill";
import { UsageError } from "./usageError";

/** Where: at most one of user, sysPrefix and prefix. */
export interface PlaceOptions {
  user?: boolean;
  sysPrefix?: boolean;
  prefix?: string;
  /** The Python whose environment is meant … */
  python: string;
  /** … and whether it was asked for by name: that it is of no use is an error then. */
  isNamed: boolean;
}

export interface InstallOptions extends PlaceOptions {
  name: string;
  displayName?: string;
}

export const defaultPython = process.platform === "win32" ? "python" : "python3";

/** Tells Jupyter of this kernel, and papermill where an environment is named; @returns what was done, as text. */
export function installKernel(options: InstallOptions): string {
  asUsage(() => checkedName(options.name));
  if (options.isNamed && !options.sysPrefix)
    throw new UsageError(
      `kernel install: --python names the environment of --sys-prefix, which is not there (got --python ${options.python}); add --sys-prefix, or leave --python out`,
    );
  if (options.prefix !== undefined) makeFolder(resolve(options.prefix));
  const lines = [`kernelspec: ${writeKernelspec(place(options), options)}`];
  if (options.sysPrefix) lines.push(`papermill translator: ${installPapermillTranslator(options.python)}`);
  return lines.join("\n");
}

function writeKernelspec(place: InstallPlace, { name, displayName }: InstallOptions): string {
  try {
    return installKernelspec(place, name, displayName);
  } catch (error) {
    throw fileError("kernel install", String((error as NodeJS.ErrnoException).path), error);
  }
}

/**
 * The kernelspecs of this kernel wherever Jupyter may look, as a table or as JSON.
 * @param options.isNamed the Python was asked for by name: that it does not work is an error
 */
export function listKernels(options: { json?: boolean; python: string; isNamed: boolean }): string {
  const prefix = prefixToLookIn("list", options);
  const found = listKernelspecs([prefix, join(checkoutRoot, ".venv")]);
  if (options.json) return JSON.stringify(found, null, 2);
  if (found.length === 0) return "no kernelspec of this kernel; lutnn kernel install makes one";
  const state = ({ ofWheel, spec }: InstalledKernelspec) => {
    if (ofWheel) return "of the Python package: looks for Node.js and lutnn when it starts";
    return spec.argv.slice(0, 2).every((path) => existsSync(path))
      ? "ready"
      : "broken: its Node.js or its package is gone";
  };
  const rows = found.map((each) => [each.name, each.spec.display_name, state(each), each.folder]);
  return new Table(["name", "shown as", "state", "folder"], rows).toString();
}

/**
 * Removes this kernel's kernelspec of that name, from one place or from all where Jupyter looks (but not from a
 * checkout's own environment). Throws UsageError when there is none.
 */
export function removeKernel(name: string, options: PlaceOptions): string {
  const chosen = options.user || options.sysPrefix || options.prefix ? place(options) : undefined;
  const folders = removeKernelspec(name, chosen, [prefixToLookIn("remove", options)]);
  const translator = options.sysPrefix ? removePapermillTranslator(options.python) : null;
  if (folders.length === 0)
    throw new UsageError(
      `kernel remove: there must be a kernelspec of this kernel with that name (got ${name}); lutnn kernel list shows them`,
    );
  const lines = folders.map((folder) => `removed: ${folder}`);
  return [...lines, ...(translator ? [`papermill translator removed from: ${translator}`] : [])].join("\n");
}

function place({ sysPrefix, prefix, python }: PlaceOptions): InstallPlace {
  if (prefix !== undefined) return { prefix };
  if (!sysPrefix) return { user: true };
  return { prefix: requiredPrefix("--sys-prefix", python) };
}

const prefixToLookIn = (command: string, { isNamed, python }: Pick<PlaceOptions, "isNamed" | "python">) =>
  isNamed ? requiredPrefix(`${command}: --python`, python) : prefixOf(python);

function requiredPrefix(option: string, python: string): string {
  const found = prefixOf(python);
  if (found) return found;
  throw new UsageError(
    `kernel ${option} needs a working Python (got ${python}); name the environment's with --python`,
  );
}

/** A rule of the kernel's that the caller has broken is a wrong call. */
function asUsage(check: () => void): void {
  try {
    check();
  } catch (error) {
    throw error instanceof LutnnError ? new UsageError(error.message) : error;
  }
}

/** Makes a folder step by step: Node's own way never ends below a folder such as /proc that takes none. */
function makeFolder(folder: string): void {
  const missing: string[] = [];
  for (let at = folder; !existsSync(at); at = dirname(at)) missing.unshift(at);
  try {
    for (const each of [...missing, join(folder, "share")]) if (!existsSync(each)) mkdirSync(each);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UsageError(
      `kernel: --prefix must be a folder that is there or can be made (got ${folder}: ${reason})`,
    );
  }
}

/** The folder of a Python's environment; null where it does not work. */
function prefixOf(python: string): string | null {
  try {
    const output = execFileSync(python, ["-c", "import sys; print(sys.prefix)"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return output.trim();
  } catch {
    return null;
  }
}

export { defaultKernelName };
