import { Session } from "node:inspector";
import { Slot, Zone } from "../link";
import { unwindingExpression } from "../unwinding";

/** A main thread that does not see an interrupt for this long is stuck in the user's code. */
const patienceMs = 500;
const pollMs = 20;

/**
 * Makes an interrupt reach the main thread whatever it is doing. One that turns its event loop sees the request and
 * aborts the cell by itself. One that is stuck in a loop is stopped from here through the inspector: V8 then unwinds
 * the user's code, uncatchably, and the event loop turns again. The kernel's own code is never stopped (see Zone).
 */
export class Interrupter {
  private watching = false;

  /** @param wake makes the main thread look at its messages */
  constructor(
    private readonly shared: Int32Array,
    private readonly wake: () => void,
  ) {}

  interrupt(): void {
    Atomics.add(this.shared, Slot.requested, 1);
    this.wake();
    if (this.watching) return;
    this.watching = true;
    this.watch(performance.now());
  }

  private watch(since: number): void {
    setTimeout(() => {
      if (this.isSeen()) this.watching = false;
      else if (performance.now() - since < patienceMs || !this.seize()) this.watch(since);
      else this.terminate();
    }, pollMs);
  }

  /** Keeps the main thread out of the kernel's zone; false where it is in there, or has seen the request just now. */
  private seize(): boolean {
    if (Atomics.compareExchange(this.shared, Slot.zone, Zone.user, Zone.terminating) !== Zone.user)
      return false;
    if (!this.isSeen()) return true;
    Atomics.store(this.shared, Slot.zone, Zone.user);
    return false;
  }

  private isSeen(): boolean {
    return Atomics.load(this.shared, Slot.acknowledged) === Atomics.load(this.shared, Slot.requested);
  }

  /** Answers as soon as the main thread runs JavaScript: at once in a loop, after the call when it is in native code. */
  private terminate(): void {
    Atomics.add(this.shared, Slot.terminations, 1);
    const session = new Session();
    session.connectToMainThread();
    Atomics.store(this.shared, Slot.ordered, 0);
    session.post("Runtime.evaluate", { expression: unwindingExpression });
    session.post("Runtime.terminateExecution", () => {
      session.disconnect();
      Atomics.store(this.shared, Slot.zone, Zone.user);
      this.wake();
      this.watch(performance.now());
    });
    Atomics.store(this.shared, Slot.ordered, 1);
    Atomics.notify(this.shared, Slot.ordered);
    // The order is carried out in JavaScript: a main thread that has none to run gets some.
    this.wake();
  }
}
