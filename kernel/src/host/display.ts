import { randomUUID } from "node:crypto";
import { currentHost, type Displayable, displaySymbol, type MimeBundle } from "./host";
import { mimeBundle } from "./mimeBundle";

/** Something that is shown and can be replaced in place. */
export interface Display extends Displayable {
  /** Shows the value in the place of the former one (in a terminal: below it). */
  update(value: unknown): void;
}

/**
 * Shows a value the way a cell's result is shown: in the notebook, or as text in a terminal.
 * @param options.raw the value is a MIME bundle (`{ "text/html": "…" }`) and shown as it is
 * @returns the display, for updates
 */
export function display(value: unknown, options: { raw?: boolean } = {}): Display {
  const displayId = randomUUID();
  let order = Promise.resolve();
  const show = (shown: unknown, update: boolean) => {
    const bundle = options.raw ? (shown as MimeBundle) : mimeBundle(shown);
    const send = (ready: MimeBundle) => {
      const host = currentHost();
      if (host) host.display(ready, { displayId, update });
      else process.stdout.write(`${String(ready["text/plain"] ?? "")}\n`);
    };
    // An object may need time to draw itself; displays stay in the order in which they were asked for.
    if (bundle instanceof Promise) order = order.then(() => bundle.then(send));
    else if (update) order = order.then(() => send(bundle));
    else send(bundle);
  };
  show(value, false);
  // As a cell's result it shows nothing more.
  return { update: (next) => show(next, true), [displaySymbol]: () => ({}) };
}

/**
 * Clears the output of the running cell; in a terminal it does nothing.
 * @param options.wait keeps the old output until there is a new one, so that nothing flickers
 */
export function clearOutput(options: { wait?: boolean } = {}): void {
  currentHost()?.clearOutput(options.wait);
}
