// child_process, watched: what runs while this thread waits, and what runs beside it.
import { ChildProcess } from "node:child_process";
import fs from "node:fs";
import { InterruptedError } from "./cell";
import { Slot } from "./link";
import type { Output } from "./output";
import type { KernelZone } from "./zone";

/**
 * Has the wire thread know whether this thread waits for a child process (an interrupt then ends that), and which others
 * run in the background. After each call that writes past process.stdout, what was written is waited for, so that it
 * stands before what the cell prints next.
 */
export function watchChildCalls(output: Output, zone: KernelZone, shared: Int32Array): void {
  const calls = synchronousCalls();
  if (calls) {
    const plain = calls.spawn;
    // The interrupt is left to be taken: code that catches this and goes on will be stopped.
    const throwInterrupt = () => {
      if (zone.isInterrupted) throw new InterruptedError();
    };
    calls.spawn = (...args) => {
      throwInterrupt();
      const result = zone.run(() => {
        Atomics.store(shared, Slot.child, 1);
        try {
          return plain.apply(calls, args);
        } finally {
          Atomics.store(shared, Slot.child, 0);
          output.drain();
        }
      });
      throwInterrupt();
      return result;
    };
  }
  const { spawn } = ChildProcess.prototype as ChildProcess & { spawn(...args: unknown[]): unknown };
  Object.assign(ChildProcess.prototype, {
    spawn(this: ChildProcess, ...args: unknown[]): unknown {
      const result = spawn.apply(this, args);
      if (this.pid !== undefined) output.child(this.pid);
      this.prependOnceListener("exit", () => output.drain());
      return result;
    },
  });
  const { writeSync } = fs;
  const watched = (descriptor: number, ...rest: unknown[]): number => {
    const written: number = Reflect.apply(writeSync, fs, [descriptor, ...rest]);
    if (descriptor === 1 || descriptor === 2) output.drain();
    return written;
  };
  fs.writeSync = watched as typeof fs.writeSync;
}

/** The part of Node that execSync, execFileSync and spawnSync all call. */
function synchronousCalls(): { spawn(...args: unknown[]): unknown } | null {
  const { noDeprecation } = process;
  // It is no public interface, of which Node would remind the notebook's user.
  process.noDeprecation = true;
  try {
    const binding: (name: string) => { spawn?: unknown } = Reflect.get(process, "binding");
    const calls = binding.call(process, "spawn_sync");
    return typeof calls.spawn === "function" ? (calls as { spawn(...args: unknown[]): unknown }) : null;
  } catch {
    return null;
  } finally {
    process.noDeprecation = noDeprecation;
  }
}
