import { UsageError } from "./usageError";

export interface LabArguments {
  /** What to open, as it was written: a notebook or a folder. */
  subject?: string;
  /** What goes on to JupyterLab, in its order. */
  options: string[];
}

/** Options of JupyterLab that stand alone: what follows them is not their value. */
const flags = new Set([
  "--allow-root",
  "--autoreload",
  "--core-mode",
  "--debug",
  "--dev-mode",
  "--expose-app-in-browser",
  "--no-browser",
  "--no-mathjax",
  "--show-config",
  "--show-config-json",
  "--generate-config",
  "-y",
]);

/**
 * Tells what is to be opened from what JupyterLab is to be told, in any order: options begin with "-", one that is no
 * flag and has no "=" takes the next word along, the word that is left is the notebook or folder.
 */
export function labArguments(words: readonly string[]): LabArguments {
  const options: string[] = [];
  const subjects: string[] = [];
  let takesValue = false;
  for (const word of words) {
    if (word.startsWith("-")) {
      if (word !== "--") options.push(word);
      takesValue = word.startsWith("--") && word !== "--" && !word.includes("=") && !flags.has(word);
    } else if (takesValue && !word.endsWith(".ipynb")) {
      options.push(word);
      takesValue = false;
    } else {
      subjects.push(word);
      takesValue = false;
    }
  }
  if (subjects.length > 1)
    throw new UsageError(`lab: one notebook or folder can be opened (got ${subjects.join(", ")})`);
  return { subject: subjects[0], options };
}
