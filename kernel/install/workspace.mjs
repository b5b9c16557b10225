// Where things lie in a checkout, and how to start programs. Nothing here knows what a step does.
import { spawnSync } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");
/** A path inside the checkout. */
export const at = (...parts) => join(root, ...parts);
export const windows = process.platform === "win32";
/** For example linux-x64. */
export const target = `${process.platform}-${process.arch}`;
/** Downloads and built libraries that survive `npm ci`; the package managers' own caches lie here too. */
export const cache = at(".cache");
const caches = {
  npm_config_cache: join(cache, "npm"),
  npm_config_devdir: join(cache, "node-gyp"),
  PIP_CACHE_DIR: join(cache, "pip"),
};
export const venv = at(".venv");
/** A program of the Python environment. */
export const venvBin = (name) => join(venv, windows ? "Scripts" : "bin", windows ? `${name}.exe` : name);

/**
 * Runs a program in the checkout and waits. `quiet` keeps its output for the error message.
 * Throws an Error with the command and what it printed when it does not end with status 0.
 */
export function run(command, args, { env, quiet = true, cwd = root, timeout } = {}) {
  const result = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...caches, ...env },
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: quiet ? ["ignore", "pipe", "pipe"] : ["ignore", "inherit", "inherit"],
    timeout,
  });
  if (result.status !== 0) {
    const ending =
      result.error?.message ?? (result.signal ? `signal ${result.signal}` : `exit ${result.status}`);
    const printed = `${result.stdout ?? ""}${result.stderr ?? ""}`.trim();
    throw new Error(`${command} ${args.join(" ")}\n  ended with: ${ending}\n${lastLines(printed, 25)}`);
  }
  return result.stdout ?? "";
}

/** True when the program starts and ends with status 0. */
export const works = (command, args = ["--version"]) =>
  spawnSync(command, args, { stdio: "ignore", cwd: root }).status === 0;

/** What a program prints, or null when it does not work. */
export function output(command, args = ["--version"]) {
  const result = spawnSync(command, args, { encoding: "utf8", cwd: root });
  return result.status === 0 ? result.stdout.trim() : null;
}

/** pip of .venv, as quiet as it can be. */
export const pip = (...args) =>
  run(venvBin("python"), ["-m", "pip", ...args, "--quiet", "--disable-pip-version-check", "--no-input"]);

const firstFile = (...paths) => paths.find((path) => path && existsSync(path));

/** npm as the npm that started us, else the one beside this Node: its script, never a shell, so Windows works too. */
export function npm(args, options) {
  const node = realpathSync(process.execPath);
  const script = firstFile(
    process.env.npm_execpath?.endsWith(".js") ? process.env.npm_execpath : null,
    join(dirname(process.execPath), "node_modules/npm/bin/npm-cli.js"),
    join(dirname(node), "../lib/node_modules/npm/bin/npm-cli.js"),
    join(dirname(node), "../share/nodejs/npm/bin/npm-cli.js"),
  );
  return script ? run(process.execPath, [script, ...args], options) : run("npm", args, options);
}

function lastLines(text, count) {
  const lines = text.split("\n");
  const skipped = lines.length - count;
  const kept = lines.slice(-count).map((line) => `  | ${line}`);
  return (skipped > 0 ? [`  | … ${skipped} lines before`, ...kept] : kept).join("\n");
}
