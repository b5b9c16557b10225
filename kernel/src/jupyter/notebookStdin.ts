import { Readable } from "node:stream";
import { LutnnError } from "../errors";
import { currentContext } from "./context";
import type { Input } from "./input";

/** A reader that has got its line may want no other: so long nobody is asked for the next one. */
const pauseMs = 30;

/**
 * `process.stdin` of a notebook: each line is asked for below the cell, once something reads. Where the client cannot
 * ask its user, reading throws LutnnError at once instead of waiting for ever; looking at it does not.
 */
export class NotebookStdin extends Readable {
  readonly fd = 0;
  readonly isTTY = false;
  private asking = false;

  constructor(private readonly input: Input) {
    super({ highWaterMark: 1 });
  }

  override on(event: string | symbol, listener: (...args: never[]) => void): this {
    if (event === "data" || event === "readable") checkReader();
    return super.on(event, listener as (...args: unknown[]) => void);
  }

  override addListener(event: string | symbol, listener: (...args: never[]) => void): this {
    return this.on(event, listener);
  }

  override resume(): this {
    checkReader();
    super.resume();
    this._read();
    return this;
  }

  override _read(): void {
    if (this.asking) return;
    this.asking = true;
    setTimeout(() => {
      if (this.isPaused() || (this.readableFlowing === null && this.listenerCount("readable") === 0)) {
        this.asking = false;
        return;
      }
      this.input.ask("").then(
        (line) => this.give(`${line}\n`),
        (error) => this.destroy(error),
      );
    }, pauseMs);
  }

  private give(line: string): void {
    this.asking = false;
    this.push(line);
  }
}

function checkReader(): void {
  if (currentContext().allowStdin) return;
  throw new LutnnError(
    "process.stdin: there must be someone to ask (this client, or this way of running the notebook, has no input); run the cell in an interactive notebook, or give the program a file to read",
  );
}

/** Puts it in the place of Node's own, whose file descriptor 0 is empty in a notebook. */
export function installStdin(input: Input): void {
  const stdin = () => new NotebookStdin(input);
  let current = stdin();
  Object.defineProperty(process, "stdin", {
    configurable: true,
    enumerable: true,
    // One that an interrupt or an error has ended is replaced.
    get() {
      if (current.destroyed) current = stdin();
      return current;
    },
  });
}
