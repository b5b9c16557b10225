import { type MessagePort, receiveMessageOnPort } from "node:worker_threads";
import { LutnnError } from "../errors";
import type { InputOptions } from "../host/input";
import { InterruptedError } from "./cell";
import { currentContext } from "./context";
import { Slot } from "./link";
import type { Output } from "./output";
import type { KernelZone } from "./zone";

/** How often a waiting thread looks whether it has been interrupted. */
const lookMs = 50;

/** Asks the client's user for text. */
export class Input {
  private queue: Promise<unknown> = Promise.resolve();
  private answer: ((value: string) => void) | null = null;

  /** @param port brings the answers to {@link askNow} */
  constructor(
    private readonly output: Output,
    private readonly zone: KernelZone,
    private readonly shared: Int32Array,
    private readonly port: MessagePort,
  ) {}

  /** One question is asked at a time; interrupting the cell withdraws it. */
  ask(prompt: string, { password = false }: InputOptions = {}): Promise<string> {
    const context = this.checkedContext();
    const answered = this.queue.then(
      () =>
        new Promise<string>((resolve, reject) => {
          context.signal.throwIfAborted();
          context.signal.addEventListener("abort", () => reject(context.signal.reason), { once: true });
          this.answer = resolve;
          this.output.askForInput(context, { prompt, password }, false);
        }),
    );
    this.queue = answered.catch(() => {});
    return answered;
  }

  /** Blocks this thread until the answer is there. Throws InterruptedError. */
  askNow(prompt: string): string {
    const context = this.checkedContext();
    // Answers to questions that an interrupt has withdrawn.
    while (receiveMessageOnPort(this.port));
    const answers = Atomics.load(this.shared, Slot.answers);
    this.output.askForInput(context, { prompt, password: false }, true);
    while (Atomics.wait(this.shared, Slot.answers, answers, lookMs) === "timed-out")
      if (this.zone.takeInterrupt()) throw new InterruptedError();
    return receiveMessageOnPort(this.port)?.message;
  }

  /** The wire thread brings the answer to {@link ask}. */
  take(value: string): void {
    this.answer?.(value);
    this.answer = null;
  }

  private checkedContext() {
    const context = currentContext();
    if (context.allowStdin) return context;
    throw new LutnnError(
      "input: the client must be able to ask its user (this one, or this way of running the notebook, is not); run the cell in an interactive notebook",
    );
  }
}
