import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Variables that say where Jupyter, IPython and our kernel keep this user's settings, workspaces, history and
 * connection files, for a program that is started. What is set already stays. `LUTNN_DATA` takes all of it below one
 * folder; else XDG_CONFIG_HOME takes the settings along, as XDG_DATA_HOME takes the data by Jupyter's own rule.
 */
export function jupyterPlaces(environment: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const { LUTNN_DATA, XDG_CONFIG_HOME } = environment;
  const places: Record<string, string> = {};
  const place = (name: string, folder: string) => {
    if (!environment[name]) places[name] = folder;
  };
  if (LUTNN_DATA) {
    place("JUPYTER_CONFIG_DIR", join(LUTNN_DATA, "jupyter", "config"));
    place("JUPYTER_DATA_DIR", join(LUTNN_DATA, "jupyter", "data"));
    place("JUPYTER_RUNTIME_DIR", join(LUTNN_DATA, "jupyter", "runtime"));
    place("IPYTHONDIR", join(LUTNN_DATA, "ipython"));
    place("LUTNN_CACHE", join(LUTNN_DATA, "cache"));
  } else if (XDG_CONFIG_HOME) {
    place("JUPYTER_CONFIG_DIR", join(XDG_CONFIG_HOME, "jupyter"));
    place("IPYTHONDIR", join(XDG_CONFIG_HOME, "ipython"));
  }
  return places;
}

/** Jupyter's folder of settings, by its own rule, for a program with these variables. */
export const jupyterConfigFolder = (environment: NodeJS.ProcessEnv): string =>
  environment.JUPYTER_CONFIG_DIR || join(homedir(), ".jupyter");
