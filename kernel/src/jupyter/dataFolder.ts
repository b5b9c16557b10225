import { homedir } from "node:os";
import { join } from "node:path";

/** Where this user's programs keep what can be made again; LUTNN_CACHE names another place. */
export function cacheFolder(): string {
  const { LUTNN_CACHE, LOCALAPPDATA, XDG_CACHE_HOME } = process.env;
  if (LUTNN_CACHE) return LUTNN_CACHE;
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches", "lutnn");
  if (process.platform === "win32") return join(LOCALAPPDATA || homedir(), "lutnn", "cache");
  return join(XDG_CACHE_HOME || join(homedir(), ".cache"), "lutnn");
}

/** Where Jupyter keeps this user's data, by the rule of jupyter_core. */
export function dataFolder(): string {
  const { JUPYTER_DATA_DIR, APPDATA, XDG_DATA_HOME } = process.env;
  if (JUPYTER_DATA_DIR) return JUPYTER_DATA_DIR;
  if (process.platform === "darwin") return join(homedir(), "Library", "Jupyter");
  if (process.platform === "win32") return join(APPDATA || homedir(), "jupyter");
  return join(XDG_DATA_HOME || join(homedir(), ".local", "share"), "jupyter");
}
