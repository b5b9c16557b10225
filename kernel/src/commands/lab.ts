import { spawn } from "node:child_process";
import { existsSync, statSync, writeFileSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { checkoutRoot, requireVenvProgram } from "../host/checkout";
import { jupyterConfigFolder, jupyterPlaces } from "./jupyterPlaces";
import { labArguments } from "./labArguments";
import { newNotebook, requireNotebook } from "./notebookFile";
import { UsageError } from "./usageError";
import { claimWorkspace } from "./workspace";

interface Opening {
  /** The folder that JupyterLab serves. */
  root: string;
  /** Below it, what it shows first. */
  path?: string;
}

/** A notebook is shown in the checkout's folder when it lies there, else in its own. One that is missing is made. */
function openingOf(subject: string): Opening {
  const path = resolve(startFolder(), subject);
  const status = statSync(path, { throwIfNoEntry: false });
  const inside = relative(checkoutRoot, path);
  const isInside = !inside.startsWith("..") && !isAbsolute(inside);
  if (status?.isDirectory()) return isInside ? { root: checkoutRoot, path } : { root: path };
  if (status) requireNotebook("lab", subject, startFolder());
  else writeFileSync(path, newNotebook("lab", subject, path), { flag: "wx" });
  return { root: isInside ? checkoutRoot : dirname(path), path };
}

/** Where the user stands: npm runs scripts in the folder of package.json. */
const startFolder = (): string =>
  (process.env.npm_lifecycle_event === "lab" && process.env.INIT_CWD) || process.cwd();

/** JupyterLab's options for it, without those that the user gave in other words. */
function openingOptions({ root, path }: Opening, given: readonly string[]): string[] {
  const url = path && `/lab/tree/${relative(root, path).split(sep).map(encodeURIComponent).join("/")}`;
  const ownUrl = given.some((option) => /default_url\b/.test(option));
  return [`--ServerApp.root_dir=${root}`, ...(url && !ownUrl ? [`--LabApp.default_url=${url}`] : [])];
}

const rootNotice =
  "lutnn lab: you are root, so JupyterLab gets --allow-root; it answers to this machine only.\n";

/**
 * JupyterLab does not start as root unless it is told to. Where it answers to this machine only it is told so. Throws
 * UsageError where others could reach it.
 */
function rootOptions(given: readonly string[]): string[] {
  if (
    process.getuid?.() !== 0 ||
    given.some((option) => /^--(allow-root|ServerApp\.allow_root)\b/.test(option))
  )
    return [];
  if (given.some((option) => /^--(ip|ServerApp\.ip)\b/.test(option)))
    throw new UsageError(
      "lab: JupyterLab must not run as root where other machines reach it (got --ip, as root); start it as another user, or add --allow-root if you mean it",
    );
  return ["--allow-root"];
}

/** The tutorial's first notebook, where this is a checkout. */
function firstOpening(): Opening {
  const path = join(checkoutRoot, "notebooks", "01-first-lookup-network.ipynb");
  return existsSync(path) ? { root: checkoutRoot, path } : { root: startFolder() };
}

/**
 * Opens JupyterLab of the checkout's environment; returns its exit status.
 * @param words a notebook or folder (default: the first notebook) and options for JupyterLab
 */
export async function openLab(words: readonly string[]): Promise<number> {
  const { subject, options } = labArguments(words);
  const program = requireVenvProgram("jupyter-lab");
  const extra = rootOptions(options);
  const ownRoot = options.some((option) =>
    /^--(ServerApp\.(root_dir|notebook_dir)|notebook-dir)\b/.test(option),
  );
  if (ownRoot && subject !== undefined)
    throw new UsageError(
      `lab: the folder to serve follows from what is opened (got ${subject} and a folder in the options); leave one of them out`,
    );
  const opening = subject === undefined ? firstOpening() : openingOf(subject);
  const ours = [...(ownRoot ? [] : openingOptions(opening, options)), ...extra];
  const environment: NodeJS.ProcessEnv = { ...process.env, ...jupyterPlaces() };
  const base = join(jupyterConfigFolder(environment), "lab", "lutnn-workspaces");
  const workspace = environment.JUPYTERLAB_WORKSPACES_DIR ? undefined : claimWorkspace(base, opening.root);
  if (workspace) environment.JUPYTERLAB_WORKSPACES_DIR = workspace.folder;
  if (extra.length > 0) process.stderr.write(rootNotice);
  try {
    const child = spawn(program, [...ours, ...options], {
      cwd: startFolder(),
      stdio: "inherit",
      env: environment,
    });
    // Ctrl-C goes to JupyterLab too, which asks before it stops; wait for its answer. A plain end is passed on.
    process.on("SIGINT", () => {});
    process.on("SIGTERM", () => child.kill("SIGTERM"));
    return await new Promise<number>((done, failed) => {
      child.on("error", failed);
      child.on("close", (code) => done(code ?? 1));
    });
  } finally {
    workspace?.release();
  }
}
