import { join } from "node:path";
import workerThreads, { type Worker } from "node:worker_threads";

/** What a thread finds the files of its cell's pipes by (`worker_threads.getEnvironmentData`). */
export const pipesKey = "lutnn.pipes";
/** Runs in each thread before its own code. */
const start = join(__dirname, "workerStart.js");
/** What `process.execArgv` ends with there. */
export const startArguments = ["--require", start];

/** The files of pipes that lead to the cell which is running, until they are let go; null for none. */
export type KeepPipes = () => { paths: readonly string[]; release(): void } | null;

/** Child processes of the threads that a cell starts write to that cell, too. */
export function followWorkers(keep: KeepPipes): void {
  const { Worker: plain, setEnvironmentData } = workerThreads;
  const watched = new Proxy(plain, {
    construct(_, given: ConstructorParameters<typeof Worker>, newTarget) {
      const own = newTarget === watched ? plain : newTarget;
      const construct = (parameters: typeof given): Worker => Reflect.construct(plain, parameters, own);
      const kept = keep();
      if (!kept) return construct(given);
      const [file, options] = given;
      const execArgv = [...(options?.execArgv ?? process.execArgv), ...startArguments];
      setEnvironmentData(pipesKey, [...kept.paths]);
      let worker: Worker;
      try {
        worker = construct([file, { ...options, execArgv }]);
      } catch {
        // What the process was started with may not be meant for threads: then they begin as if we were not there.
        kept.release();
        return construct(given);
      } finally {
        setEnvironmentData(pipesKey, undefined);
      }
      worker.once("exit", kept.release);
      return worker;
    },
  });
  Object.assign(workerThreads, { Worker: watched });
}
