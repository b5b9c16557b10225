import { Slot, Zone } from "./link";

/**
 * Marks the kernel's own code on the main thread, which the wire thread must not stop half-way; everything outside
 * counts as the user's code. Code that a cell supplies (a Jupyter.display method, toJSON, a comm's handler) must run
 * outside, or a loop in it could not be interrupted.
 */
export class KernelZone {
  private depth = 0;

  constructor(private readonly shared: Int32Array) {}

  run<T>(work: () => T): T {
    this.enter();
    try {
      return work();
    } finally {
      this.leave();
    }
  }

  /** True when an interrupt was asked for since the last call: whoever gets it acts on it. */
  takeInterrupt(): boolean {
    const requested = Atomics.load(this.shared, Slot.requested);
    return Atomics.exchange(this.shared, Slot.acknowledged, requested) !== requested;
  }

  /** True while an interrupt waits to be taken. */
  get isInterrupted(): boolean {
    return Atomics.load(this.shared, Slot.requested) !== Atomics.load(this.shared, Slot.acknowledged);
  }

  /** How often the user's code has been stopped from outside. */
  get terminations(): number {
    return Atomics.load(this.shared, Slot.terminations);
  }

  private enter(): void {
    // While the wire thread is stopping us we wait here, still outside, and are unwound from this very loop.
    if (this.depth === 0)
      while (Atomics.compareExchange(this.shared, Slot.zone, Zone.user, Zone.kernel) !== Zone.user);
    this.depth++;
  }

  private leave(): void {
    if (--this.depth === 0) Atomics.store(this.shared, Slot.zone, Zone.user);
  }
}
