// What a thread that a cell starts does before its own code (see workers.ts).
import { syncBuiltinESMExports } from "node:module";
import { getEnvironmentData } from "node:worker_threads";
import { giveOwnStdio } from "./childStdio";
import { type OpenEnds, openBoth } from "./pipeFiles";
import { synchronousCalls } from "./synchronousCalls";
import { followWorkers, pipesKey, startArguments } from "./workers";

const paths = getEnvironmentData(pipesKey);
if (Array.isArray(paths)) {
  // What is not the user's is nothing to hand on to child processes.
  const { execArgv } = process;
  if (execArgv.at(-1) === startArguments[1]) execArgv.length -= startArguments.length;
  const open: OpenEnds = () => {
    try {
      return openBoth(paths, "w");
    } catch {
      return null;
    }
  };
  giveOwnStdio(synchronousCalls(), open, (work) => work());
  followWorkers(() => ({ paths, release() {} }));
  syncBuiltinESMExports();
}
