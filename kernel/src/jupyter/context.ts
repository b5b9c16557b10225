import { AsyncLocalStorage } from "node:async_hooks";
import { inspect } from "node:util";

/** On whose behalf code runs: outputs go to this request's cell, however late they come. */
export interface Context {
  headerJson: string;
  identities: Uint8Array[];
  silent: boolean;
  allowStdin: boolean;
  signal: AbortSignal;
}

const none: Context = {
  headerJson: "{}",
  identities: [],
  silent: false,
  allowStdin: false,
  signal: new AbortController().signal,
};
const storage = new AsyncLocalStorage<Context>();
let latest = none;

/**
 * Node up to 22 notes the context on every promise, in properties that `console.log(promise)` would show: they are
 * hidden when a promise is inspected. Called once, before cells run.
 */
export function hideContexts(): void {
  const noted = storage.run(none, () => Object.getOwnPropertySymbols(Promise.resolve()));
  if (noted.length === 0) return;
  Object.defineProperty(Promise.prototype, inspect.custom, {
    configurable: true,
    writable: true,
    value(this: Promise<unknown>) {
      for (const symbol of noted)
        if (Object.hasOwn(this, symbol)) Object.defineProperty(this, symbol, { enumerable: false });
      // To inspect this very object, as always.
      return this;
    },
  });
}

/** The request whose code is running; where the trace is lost (a native callback), the newest cell. */
export const currentContext = (): Context => storage.getStore() ?? latest;

/** Runs `work`, and whatever it starts, on behalf of `context`. */
export const runIn = <T>(context: Context, work: () => T): T => storage.run(context, work);

/** Makes a cell's context the one that untraceable code belongs to. */
export function setLatest(context: Context): void {
  latest = context;
}
