import { AsyncLocalStorage } from "node:async_hooks";

/** On whose behalf code runs: outputs go to this request's cell, however late they come. */
export interface Context {
  headerJson: string;
  silent: boolean;
  allowStdin: boolean;
  signal: AbortSignal;
}

const none: Context = {
  headerJson: "{}",
  silent: false,
  allowStdin: false,
  signal: new AbortController().signal,
};
const storage = new AsyncLocalStorage<Context>();
let latest = none;

/** The request whose code is running; where the trace is lost (a native callback), the newest cell. */
export const currentContext = (): Context => storage.getStore() ?? latest;

/** Runs `work`, and whatever it starts, on behalf of `context`. */
export const runIn = <T>(context: Context, work: () => T): T => storage.run(context, work);

/** Makes a cell's context the one that untraceable code belongs to. */
export function setLatest(context: Context): void {
  latest = context;
}
