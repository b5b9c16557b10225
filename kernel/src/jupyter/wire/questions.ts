import type { MessagePort } from "node:worker_threads";
import { Slot } from "../link";

/** The question that the client's user has been asked. */
export class Questions {
  private open: { blocking: boolean } | null = null;

  /**
   * @param port takes answers that the main thread is blocked for
   * @param deliver takes the others
   */
  constructor(
    private readonly shared: Int32Array,
    private readonly port: MessagePort,
    private readonly deliver: (value: string) => void,
  ) {}

  ask(blocking: boolean): void {
    this.open = { blocking };
  }

  /** An input_reply; ignored when nothing was asked. */
  answer(value: unknown): void {
    const { open } = this;
    this.open = null;
    if (open?.blocking) {
      this.port.postMessage(String(value));
      Atomics.add(this.shared, Slot.answers, 1);
      Atomics.notify(this.shared, Slot.answers);
    } else if (open) this.deliver(String(value));
  }
}
