// A thread that does nothing but wait for SIGINT. process.on("SIGINT") is served by the main thread, which may be
// stuck; a script that may be broken by SIGINT is watched by Node itself, on any thread. Two such scripts run one
// inside the other, so that one is watched while the other one starts again.

import vm from "node:vm";
import { parentPort } from "node:worker_threads";

const never = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

function untilSignal(wait: () => void): void {
  try {
    Reflect.set(globalThis, "wait", wait);
    vm.runInThisContext("wait()", { breakOnSigint: true });
  } catch {
    parentPort?.postMessage("SIGINT");
  }
}

for (;;)
  untilSignal(() => {
    for (;;) untilSignal(() => Atomics.wait(never, 0, 0));
  });
