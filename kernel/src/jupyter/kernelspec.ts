// How Jupyter learns of this kernel. Where kernelspecs lie is Jupyter's own rule (jupyter_core/paths.py).
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { delimiter, join, resolve } from "node:path";
import { LutnnError } from "../errors";
import { dataFolder } from "./dataFolder";
import { protocolVersion } from "./link";

/** What a kernel.json holds. */
export interface Kernelspec {
  argv: string[];
  display_name: string;
  language: string;
  interrupt_mode: "message";
  kernel_protocol_version: string;
  env: Record<string, string>;
  metadata: { debugger: boolean };
}

/** Where to install: for this user, or below a prefix, such as a Python environment's. */
export type InstallPlace = { user: true } | { prefix: string };

export interface InstalledKernelspec {
  name: string;
  /** Whether it came with the Python wheel, whose launcher finds Node.js and the package when it starts. */
  ofWheel: boolean;
  /** The folder that holds its kernel.json. */
  folder: string;
  spec: Kernelspec;
}

export const defaultKernelName = "lutnn";
const packageFolder = join(__dirname, "../..");
const logo = "logo-svg.svg";

/** The kernelspec of this very installation: this Node.js and this package, by their absolute paths. */
export function kernelspec(displayName = "TypeScript (LUT-NN)"): Kernelspec {
  return {
    argv: [process.execPath, join(packageFolder, "bin/lutnn.js"), "kernel", "{connection_file}"],
    display_name: displayName,
    language: "typescript",
    interrupt_mode: "message",
    kernel_protocol_version: protocolVersion,
    env: {},
    metadata: { debugger: false },
  };
}

/** The same as the text of a kernel.json. */
export const kernelspecText = (displayName?: string): string =>
  `${JSON.stringify(kernelspec(displayName), null, 2)}\n`;

/**
 * Writes the kernelspec where Jupyter looks for it, replacing an earlier one of the same name.
 * @returns the folder
 */
export function installKernelspec(
  place: InstallPlace = { user: true },
  name = defaultKernelName,
  displayName?: string,
): string {
  const folder = join(kernelsFolder(place), checkedName(name));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "kernel.json");
  writeFileSync(`${file}.new`, kernelspecText(displayName));
  copyFileSync(join(packageFolder, "data", logo), join(folder, logo));
  renameSync(`${file}.new`, file);
  return folder;
}

/**
 * The kernelspecs of this kernel in all places where Jupyter looks, in its order.
 * @param prefixes Python environments to look into besides the active one
 */
export function listKernelspecs(prefixes: (string | null)[] = []): InstalledKernelspec[] {
  return searchPath(prefixes).flatMap((kernels) =>
    (existsSync(kernels) ? readdirSync(kernels) : []).flatMap((name) => {
      const folder = join(kernels, name);
      const spec = readSpec(folder);
      return spec ? [{ name, ofWheel: isOfWheel(spec), folder, spec }] : [];
    }),
  );
}

/**
 * Removes the kernelspec of this name, if it is one of this kernel's. Throws LutnnError where it belongs to a Python package.
 * @param place where it was installed; by default everywhere that Jupyter looks, and in these environments
 * @returns the folders that were removed
 */
export function removeKernelspec(
  name = defaultKernelName,
  place?: InstallPlace,
  prefixes: (string | null)[] = [],
): string[] {
  const kernels = place ? [kernelsFolder(place)] : searchPath(prefixes);
  const folders = kernels.map((each) => join(each, checkedName(name))).filter((folder) => readSpec(folder));
  const ofWheel = folders.find((folder) => isOfWheel(readSpec(folder) as Kernelspec));
  if (ofWheel)
    throw new LutnnError(
      `kernelspec: what a Python package has brought goes away with it (got ${ofWheel}); pip uninstall lutnn`,
    );
  for (const folder of folders) rmSync(folder, { recursive: true });
  return folders;
}

function kernelsFolder(place: InstallPlace): string {
  if ("user" in place) return join(dataFolder(), "kernels");
  return join(resolve(place.prefix), "share", "jupyter", "kernels");
}

function searchPath(prefixes: (string | null)[]): string[] {
  const { JUPYTER_PATH, VIRTUAL_ENV, CONDA_PREFIX } = process.env;
  const system =
    process.platform === "win32"
      ? [join(process.env.PROGRAMDATA ?? "C:\\ProgramData", "jupyter")]
      : ["/usr/local/share/jupyter", "/usr/share/jupyter"];
  const environments = [VIRTUAL_ENV, CONDA_PREFIX, ...prefixes].filter(
    (prefix) => typeof prefix === "string",
  );
  const data = [
    ...(JUPYTER_PATH ?? "").split(delimiter).filter((path) => path !== ""),
    dataFolder(),
    ...environments.map((prefix) => join(prefix, "share", "jupyter")),
    ...system,
  ];
  return [...new Set(data)].map((folder) => join(folder, "kernels"));
}

/** The kernel.json in the folder, when it starts this kernel. */
function readSpec(folder: string): Kernelspec | null {
  try {
    const spec: Kernelspec = JSON.parse(readFileSync(join(folder, "kernel.json"), "utf8"));
    const [, program, command] = spec.argv;
    const isOwn = command === "kernel" && /[\\/](bin[\\/]lutnn|jupyter[\\/]main)\.js$/.test(program);
    return isOwn || isOfWheel(spec) ? spec : null;
  } catch {
    return null;
  }
}

/** See python/wheel. */
const isOfWheel = ({ argv: [, option, module] }: Kernelspec): boolean =>
  option === "-m" && module === "lutnn_kernel";

/** The name, if it can be a kernel's; throws LutnnError where it cannot. */
export function checkedName(name: string): string {
  // Jupyter compares names in lower case and allows just these characters.
  if (/^[a-z0-9._-]+$/.test(name)) return name;
  throw new LutnnError(
    `kernelspec: the name may consist of a-z, 0-9, ".", "-" and "_" (got ${JSON.stringify(name)}); choose another`,
  );
}
