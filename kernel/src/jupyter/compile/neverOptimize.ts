import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";
import type { Ts } from "./compilerApi";

/** Functions that make up to thousands of closures, and are called once a cell. */
const makers = ["createTypeChecker", "createProgram", "createPrinter", "createScanner"] as const;

/**
 * Keeps V8 from optimizing the compiler's largest functions: after some 600 cells that would take many seconds of a
 * processor and more than 100 MB that the process keeps, to no use.
 */
export function neverOptimizeMakers(ts: Ts): void {
  setFlagsFromString("--allow-natives-syntax");
  try {
    const mark: (target: unknown) => void = runInThisContext(
      "(target) => { %NeverOptimizeFunction(target); }",
    );
    for (const maker of makers) mark(Reflect.get(ts, maker));
  } catch {
    // A V8 without it costs memory, nothing else.
  } finally {
    setFlagsFromString("--no-allow-natives-syntax");
  }
}
