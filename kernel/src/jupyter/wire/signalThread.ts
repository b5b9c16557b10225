// A thread that does nothing but wait for SIGINT. process.on("SIGINT") is served by the main thread, which may be
// stuck; a script that may be broken by SIGINT is watched by Node itself, on any thread. A signal breaks the innermost
// one. Many run one inside the other, because a signal that meets none ends the process: others are watched while one
// starts again.

import vm from "node:vm";
import { parentPort } from "node:worker_threads";

const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
/** How many signals may come while one script starts again. */
const depth = 32;

function waitForSignals(level: number): void {
  for (;;)
    try {
      if (level === 0) Atomics.wait(never, 0, 0);
      else {
        Reflect.set(globalThis, "wait", () => waitForSignals(level - 1));
        vm.runInThisContext("wait()", { breakOnSigint: true });
      }
    } catch {
      parentPort?.postMessage("SIGINT");
    }
}

waitForSignals(depth);
