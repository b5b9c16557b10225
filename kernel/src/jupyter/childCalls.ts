// child_process, watched: what runs while this thread waits, and what runs beside it.
import { ChildProcess } from "node:child_process";
import { syncBuiltinESMExports } from "node:module";
import { InterruptedError } from "./cell";
import { giveOwnStdio } from "./childStdio";
import { watchDescriptorWrites } from "./descriptorWrites";
import { Slot } from "./link";
import type { Output } from "./output";
import { PipesOfRequests } from "./ownPipes";
import { type SynchronousCalls, synchronousCalls } from "./synchronousCalls";
import { followWorkers } from "./workers";
import type { KernelZone } from "./zone";

/**
 * Has the wire thread know whether this thread waits for a child process (an interrupt then ends that), and which others
 * run in the background; what they write, and what is written by file descriptor, reaches the cell that started it. After
 * each call that writes past process.stdout, what was written is waited for, so that it stands before what the cell
 * prints next.
 * @param folder where pipes are made
 */
export function watchChildCalls(output: Output, zone: KernelZone, shared: Int32Array, folder: string): void {
  const pipes = new PipesOfRequests(folder, output, zone);
  const calls = synchronousCalls();
  if (calls) watchWaiting(calls, output, zone, shared);
  giveOwnStdio(calls, pipes.open, (work) => zone.run(work));
  const { spawn } = ChildProcess.prototype as ChildProcess & { spawn(...args: unknown[]): unknown };
  Object.assign(ChildProcess.prototype, {
    spawn(this: ChildProcess, ...args: unknown[]): unknown {
      const result = spawn.apply(this, args);
      if (this.pid !== undefined) output.child(this.pid);
      this.prependOnceListener("exit", () => output.drain());
      return result;
    },
  });
  watchDescriptorWrites(
    () => (output.isNewest() ? null : pipes.open()),
    () => output.drain(),
  );
  followWorkers(pipes.keep);
  syncBuiltinESMExports();
}

function watchWaiting(calls: SynchronousCalls, output: Output, zone: KernelZone, shared: Int32Array): void {
  const plain = calls.spawn;
  // The interrupt is left to be taken: code that catches this and goes on will be stopped.
  const throwInterrupt = () => {
    if (zone.isInterrupted) throw new InterruptedError();
  };
  calls.spawn = (options) => {
    throwInterrupt();
    const result = zone.run(() => {
      // What native code has printed before stands before what the child prints.
      output.putForeignFirst();
      Atomics.store(shared, Slot.child, 1);
      try {
        return plain.call(calls, options);
      } finally {
        Atomics.store(shared, Slot.child, 0);
        output.drain();
      }
    });
    throwInterrupt();
    return result;
  };
}
