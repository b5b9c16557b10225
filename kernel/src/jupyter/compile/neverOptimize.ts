import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";

/**
 * Keeps V8 from optimizing a function that makes a thousand closures and is called once a cell: it would take seconds of
 * a processor and 100 MB that the process keeps, after some 600 cells, to no use.
 */
export function neverOptimize(target: (...args: never[]) => unknown): void {
  setFlagsFromString("--allow-natives-syntax");
  try {
    const mark: (target: unknown) => void = runInThisContext(
      "(target) => { %NeverOptimizeFunction(target); }",
    );
    mark(target);
  } catch {
    // A V8 without it costs memory, nothing else.
  } finally {
    setFlagsFromString("--no-allow-natives-syntax");
  }
}
