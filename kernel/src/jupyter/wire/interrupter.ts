import { Session } from "node:inspector";
import { commandOf, directChildren, signalAll, withDescendants } from "../children";
import { Slot, Zone } from "../link";
import { unwindingExpression } from "../unwinding";

/** A main thread that does not see an interrupt for this long is stuck in the user's code. */
const patienceMs = 500;
const pollMs = 20;
/** The user is told of code that has not stopped by then, why, and what can be done. */
const sayMs = 900;

export interface InterrupterOptions {
  /** Makes the main thread look at its messages. */
  wake(): void;
  /** Shows a sentence in the cell that runs. */
  say(sentence: string): void;
  /** False for direct child processes that run in the background. */
  isChild(pid: number): boolean;
}

/**
 * Makes an interrupt reach the main thread whatever it is doing. One that turns its event loop sees the request and
 * aborts the cell by itself. One that waits for a child process (execSync) has that ended: politely, then for good. One
 * that is stuck in a loop is stopped from here through the inspector: V8 then unwinds the user's code, uncatchably, and
 * the event loop turns again. The kernel's own code is never stopped (see Zone), and native code returns when it does:
 * the user is told so.
 */
export class Interrupter {
  private watching = false;
  /** When the interrupt that is being watched was asked for. */
  private since = 0;
  private hasSaid = false;
  /** Child processes that have been asked to end, and when they were. */
  private asked: { pids: number[]; at: number } | null = null;

  constructor(
    private readonly shared: Int32Array,
    private readonly options: InterrupterOptions,
  ) {}

  interrupt(): void {
    Atomics.add(this.shared, Slot.requested, 1);
    this.options.wake();
    if (this.watching) return;
    this.watching = true;
    this.since = performance.now();
    this.hasSaid = false;
    this.asked = null;
    this.watch(this.since);
  }

  private watch(since: number): void {
    setTimeout(() => {
      if (this.isSeen()) {
        this.watching = false;
        return;
      }
      if (Atomics.load(this.shared, Slot.child) === 1) this.endChild();
      else if (performance.now() - this.since > sayMs) this.sayOnce(nativeSentence);
      if (performance.now() - since < patienceMs || !this.seize()) this.watch(since);
      else this.terminate();
    }, pollMs);
  }

  /** The main thread waits for a child process: that is asked to end, and killed if it does not. */
  private endChild(): void {
    const now = performance.now();
    if (!this.asked) {
      const roots = directChildren(process.pid, this.options.isChild);
      this.asked = { pids: withDescendants(roots), at: now };
      signalAll(this.asked.pids, "SIGINT");
    } else if (now - this.asked.at > patienceMs && this.asked.pids.length > 0) {
      const [first] = this.asked.pids;
      this.sayOnce(
        `The child process that the cell waited for (${commandOf(first)}) did not end and was killed.`,
      );
      signalAll(withDescendants(this.asked.pids), "SIGKILL");
      this.asked.pids = [];
    }
  }

  private sayOnce(sentence: string): void {
    if (this.hasSaid) return;
    this.hasSaid = true;
    this.options.say(sentence);
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
    const late = setTimeout(
      () => this.sayOnce(nativeSentence),
      Math.max(0, sayMs - (performance.now() - this.since)),
    );
    // The answer may come in the middle of anything that this thread is at: what follows from it has to wait its turn.
    session.post("Runtime.terminateExecution", () =>
      setImmediate(() => {
        clearTimeout(late);
        session.disconnect();
        Atomics.store(this.shared, Slot.zone, Zone.user);
        this.options.wake();
        this.watch(performance.now());
      }),
    );
    Atomics.store(this.shared, Slot.ordered, 1);
    Atomics.notify(this.shared, Slot.ordered);
    // The order is carried out in JavaScript: a main thread that has none to run gets some.
    this.options.wake();
  }
}

const nativeSentence =
  "The cell does not stop yet: it is inside a native call that cannot be stopped half-way (a long operation on BigInts, a large sort or copy, a library's own loop). It stops as soon as that call returns; restart the kernel to end it now.";
