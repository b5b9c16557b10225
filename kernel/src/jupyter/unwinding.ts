import { Slot } from "./link";

/** What the wire thread calls, through the inspector, in the middle of the user's code before it stops that code. */
const key = "lutnn.beforeUnwinding";
export const unwindingExpression = `globalThis[Symbol.for("${key}")]?.()`;
/** Put there by the library, where it is loaded. */
const lossOf = Symbol.for("lutnn.lossOf");
/** How long the main thread waits there for the wire thread's second message. */
const mostMs = 1000;

/** What is used of the part of Node that keeps a stack of the asynchronous callbacks which it is in. */
interface CallbackStack {
  clearAsyncIdStack(): void;
  async_hook_fields: Uint32Array;
  constants: { kTotals: number; kCheck: number };
}

/**
 * Node aborts the process when its stack of callbacks is not as it was once a callback returns. Code that is stopped
 * from outside leaves it behind anyhow, wherever it is, be it in the middle of Node's own hooks around promises. So
 * Node is told not to look, from just before the code is stopped until the stack has been emptied afterwards.
 */
export class Unwinding {
  private readonly stack = callbackStack();
  /** How Node looked after its stack: set while it does not. */
  private watched: { totals: number; check: number } | null = null;
  /** Tells the library that work of its own can never end; see host/unwound.ts. */
  private tellLoss: (() => void) | undefined;

  /** @param shared the memory that the wire thread sees */
  constructor(private readonly shared: Int32Array) {
    Reflect.set(globalThis, Symbol.for(key), () => this.begin());
  }

  /** In the middle of the user's code. */
  private begin(): void {
    // Whose work this is can only be told here.
    this.tellLoss = Reflect.get(globalThis, lossOf)?.();
    // The order to stop must be there by now: else the user's code would go on in between, into callbacks anew. Looking
    // again and again instead of Atomics.wait: the user's code may be in one, and V8 does not survive a second inside.
    for (const end = performance.now() + mostMs; performance.now() < end; )
      if (Atomics.load(this.shared, Slot.ordered) !== 0) break;
    Atomics.store(this.shared, Slot.ordered, 0);
    if (!this.stack) {
      emptyStack();
      return;
    }
    const { async_hook_fields: fields, constants } = this.stack;
    this.watched ??= { totals: fields[constants.kTotals], check: fields[constants.kCheck] };
    fields[constants.kTotals] = 0;
    fields[constants.kCheck] = 0;
    this.stack.clearAsyncIdStack();
  }

  /** The user's code has been stopped. */
  end(): void {
    const { tellLoss } = this;
    this.tellLoss = undefined;
    if (tellLoss) setImmediate(tellLoss);
    if (!this.stack || !this.watched) return;
    const { async_hook_fields: fields, constants } = this.stack;
    this.stack.clearAsyncIdStack();
    fields[constants.kTotals] = this.watched.totals;
    fields[constants.kCheck] = this.watched.check;
    this.watched = null;
  }
}

/** Null where Node has no such stack to look after: from version 24 on it keeps contexts without hooks. */
function callbackStack(): CallbackStack | null {
  const { noDeprecation } = process;
  // It is no public interface, of which Node would remind the notebook's user.
  process.noDeprecation = true;
  try {
    const binding: (name: string) => Partial<CallbackStack> = Reflect.get(process, "binding");
    const { clearAsyncIdStack, async_hook_fields, constants } = binding.call(process, "async_wrap");
    const known =
      async_hook_fields instanceof Uint32Array &&
      [constants?.kTotals, constants?.kCheck].every(Number.isInteger);
    return clearAsyncIdStack && async_hook_fields && constants && known
      ? { clearAsyncIdStack, async_hook_fields, constants }
      : null;
  } catch {
    return null;
  } finally {
    process.noDeprecation = noDeprecation;
  }
}

/** Node empties the stack also after it has handled an uncaught exception: it gets one, of which nobody else hears. */
function emptyStack(): void {
  const handle: unknown = Reflect.get(process, "_fatalException");
  if (typeof handle !== "function") return;
  process.setUncaughtExceptionCaptureCallback(() => {});
  try {
    handle(new Error("the code is stopped"));
  } finally {
    process.setUncaughtExceptionCaptureCallback(null);
  }
}
