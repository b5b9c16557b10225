// How Vitest is run while the library says something else than it should, and how it is put back whatever happens.
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** In which the tests run, while they are measured and afterwards alike: fewer random networks than else. */
export const testEnvironment = { ...process.env, LUTNN_NETWORKS: "100" };

/** What is to be done when this process is stopped, the newest first. */
const clearings = [];
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => {
    for (const clear of clearings.reverse()) clear();
    process.exit(130);
  });

/** Does some work; `clear` is called when this process is stopped meanwhile. */
export async function untilStopped(clear, work) {
  clearings.push(clear);
  try {
    return await work();
  } finally {
    clearings.splice(clearings.indexOf(clear), 1);
  }
}

/**
 * Does some work while files say something else: the library is built of it, and where tests load a source itself, they get
 * it by the environment (ownSources.mjs).
 * @param texts by file, as `filesOfRooms` has it: TypeScript
 * @param compile makes of it what the library says; null where the texts are that already
 * @param work called with what the environment must say
 */
export async function withTexts(root, texts, compile, work) {
  const built = [...texts].filter(([{ library }]) => library);
  const loaded = [...texts].filter(([{ library }]) => !library);
  const right = built.map(([{ library }]) => readFileSync(join(root, library)));
  const sources = join(root, "out/mutants/sources.json");
  const putBack = () => {
    for (const [i, [{ library }]] of built.entries()) writeFileSync(join(root, library), right[i]);
    rmSync(sources, { force: true });
  };
  mkdirSync(join(root, "out/mutants"), { recursive: true });
  try {
    return await untilStopped(putBack, () => {
      for (const [{ library }, text] of built)
        writeFileSync(join(root, library), compile ? compile(text) : text);
      const given = loaded.map(([{ source }, text]) => [join(root, source), text]);
      writeFileSync(sources, JSON.stringify(Object.fromEntries(given)));
      return work({ LUTNN_SOURCES: sources });
    });
  } finally {
    putBack();
  }
}

/** Starts Vitest in a group of its own; `stop` ends it with the processes that it started: one may be in an endless loop. */
export function startVitest(root, options, env) {
  const child = spawn(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...options], {
    cwd: root,
    stdio: "ignore",
    detached: true,
    env: { ...testEnvironment, ...env },
  });
  const stop = () => {
    try {
      process.kill(-child.pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  };
  return { child, stop };
}

/** Runs Vitest for at most so long (null: as long as it takes): its exit status, null where it took too long. */
export function vitest(root, options, milliseconds, env) {
  const { child, stop } = startVitest(root, options, env);
  let tooLong = false;
  return untilStopped(
    stop,
    () =>
      new Promise((resolve) => {
        const timer =
          milliseconds !== null
            ? setTimeout(() => {
                tooLong = true;
                stop();
              }, milliseconds)
            : undefined;
        child.on("exit", (status) => {
          clearTimeout(timer);
          resolve(tooLong ? null : status);
        });
      }),
  );
}
