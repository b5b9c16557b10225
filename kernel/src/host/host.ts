// Where output goes and who may interrupt: the notebook kernel installs a host on globalThis before a cell runs;
// in a plain Node process there is none and the terminal serves. The library never imports the kernel.

import type { Comms } from "./comm";
import type { InputOptions } from "./input";

/** A Jupyter MIME bundle: MIME type → JSON or text (binary formats as base64). */
export type MimeBundle = Record<string, unknown>;

export interface DisplayOptions {
  /** Displays with the same id can be updated in place. */
  displayId?: string;
  /** Replace what was shown under `displayId` instead of adding an output. */
  update?: boolean;
  metadata?: Record<string, unknown>;
}

/** What a notebook kernel offers to the library. */
export interface NotebookHost {
  display(bundle: MimeBundle, options?: DisplayOptions): void;
  clearOutput(wait?: boolean): void;
  /** Aborted when the running cell is interrupted; every cell has its own. */
  readonly signal: AbortSignal;
  readonly comms: Comms;
  /** Asks the user for a line of text; rejects when the client cannot ask. */
  input(prompt: string, options?: InputOptions): Promise<string>;
  /**
   * The notebook's expression for a value: the top-level variable that holds it, or `name.property` of one that holds a plain
   * object; null where there is none.
   */
  nameOf?(value: object): string | null;
}

const key = Symbol.for("lutnn.host");
type Carrier = { [key]?: NotebookHost };

/** The notebook's host, or undefined outside a notebook. */
export function currentHost(): NotebookHost | undefined {
  return (globalThis as Carrier)[key];
}

/** Called by a notebook kernel once, before the first cell. */
export function installHost(host: NotebookHost): void {
  (globalThis as Carrier)[key] = host;
}

/** An object with this method shows itself in a notebook: it returns a MIME bundle. */
export const displaySymbol: unique symbol = Symbol.for("Jupyter.display");

export interface Displayable {
  [displaySymbol](): MimeBundle;
}
