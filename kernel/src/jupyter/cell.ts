import type { Context } from "./context";
import type { Request } from "./link";
import { saveTensorflow } from "./tensorflowState";

/** What an interrupted cell fails with; `signal.reason` of its AbortSignal. */
export class InterruptedError extends Error {
  override readonly name = "AbortError";
  constructor() {
    super("the cell was interrupted");
  }
}

/** Code that watches the signal has this long to end by itself before the interrupt is thrown at its `await`s … */
const watchfulMs = 250;
/** … and the cell as a whole this long before it is given up. */
const patienceMs = 450;

/**
 * One execute_request from its start to its reply.
 *
 * Every `await` of a cell's code passes through {@link resume}: that is how an interrupt reaches a loop that does not
 * watch the signal. As in Python, it is thrown once, so that `finally` blocks may await; a cell that goes on all the
 * same is given up: its reply is sent, and its next `await` never returns.
 */
export class Cell implements Context {
  readonly headerJson: string;
  readonly identities: Uint8Array[];
  readonly allowStdin: boolean;
  readonly silent: boolean;
  /** Its reply is on its way: whatever else becomes of its code does not matter. */
  settled = false;
  /** Value of the last expression. */
  lastValue: unknown = undefined;

  /** Brings TensorFlow.js back to where it was when the cell began, after its code was stopped from outside. */
  readonly restoreTensorflow = saveTensorflow();

  private readonly controller = new AbortController();
  private readonly waiting = new Set<(reason: Error) => void>();
  private undelivered = false;
  private givenUp = false;

  /** @param label how the user knows the cell, for example "3" for In [3] */
  constructor(
    readonly request: Request,
    readonly label: string,
    readonly executionCount: number,
    readonly code: string = typeof request.content.code === "string" ? request.content.code : "",
  ) {
    this.headerJson = request.headerJson;
    this.identities = request.identities;
    this.silent = request.content.silent === true;
    this.allowStdin = request.content.allow_stdin === true;
  }

  /** How it is called in stack traces. */
  get title(): string {
    return `cell ${this.label}`;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Aborts the signal, then insists; `giveUp` is called when the cell has not ended after all that. */
  interrupt(giveUp: () => void): void {
    const reason = new InterruptedError();
    this.undelivered = true;
    this.controller.abort(reason);
    setTimeout(() => {
      for (const reject of this.waiting) {
        this.undelivered = false;
        reject(reason);
      }
    }, watchfulMs);
    setTimeout(giveUp, patienceMs);
  }

  /** The cell has been replied to: code of it that still runs never gets past its next `await`. */
  giveUp(): void {
    this.givenUp = true;
  }

  /** `await x` in a cell is compiled to `await resume(x)`. */
  resume<T>(value: T): T | Promise<Awaited<T>> {
    if (this.givenUp || this.undelivered) Promise.resolve(value).catch(() => {});
    if (this.givenUp) return new Promise(() => {});
    if (this.undelivered) throw this.deliver();
    if (!isThenable(value)) return value;
    return new Promise((resolve, reject) => {
      const settle = (settled: () => void) => {
        this.waiting.delete(reject);
        if (this.givenUp) return;
        if (this.undelivered) reject(this.deliver());
        else settled();
      };
      this.waiting.add(reject);
      Promise.resolve(value).then(
        (result) => settle(() => resolve(result)),
        (error) => settle(() => reject(error)),
      );
    });
  }

  /** `for await (… of x)` in a cell is compiled to `… of resumeEach(x)`. */
  async *resumeEach<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<Awaited<T>> {
    const iterator = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
    for (;;) {
      let step: IteratorResult<T>;
      try {
        step = await this.resume(iterator.next());
      } catch (error) {
        // After an interrupt the iterator is still at work: it is told to stop, but not waited for.
        if (error === this.signal.reason) void iterator.return?.();
        throw error;
      }
      if (step.done) return;
      let wantsMore = false;
      try {
        yield await this.resume(step.value);
        wantsMore = true;
      } finally {
        if (!wantsMore) await iterator.return?.();
      }
    }
  }

  private deliver(): unknown {
    this.undelivered = false;
    return this.signal.reason;
  }
}

const isThenable = (value: unknown): boolean =>
  value !== null &&
  (typeof value === "object" || typeof value === "function") &&
  typeof (value as { then?: unknown }).then === "function";
