import { readSync } from "node:fs";

/** Between two looks while a cell runs, and while none does; after something was found the next look is at once. */
const busyLookMs = 20;
const idleLookMs = 250;
const pieceSize = 1 << 16;

export interface ForeignOutputOptions {
  /** Descriptors of the pipes' ends; reading them never waits. */
  descriptors: Record<"stdout" | "stderr", number>;
  publish(name: "stdout" | "stderr", text: string): void;
  /** Takes what V8 and Node begin to say on stderr when they are about to abort the process; "" once it lives on. */
  fatal(text: string): void;
  /** Takes what the main thread has sent before. */
  before(): void;
  /** Resolves once clients take what is published about as fast as it comes. */
  room(): Promise<void>;
  isBusy(): boolean;
}

/** How the report begins that comes before the end: of the heap that is full, of a failed assertion. */
const lastWords = /<--- Last few GCs --->|FATAL ERROR: |#\n# Fatal error in /;
/** Bytes: enough for such a beginning, read alone, so that the rest waits in the pipe for the process that outlives us. */
const beginningSize = 32;
/** After such a beginning; a process that lives on has only written the same words. */
const lastWordsMs = 500;

/** What child processes and native code write to the process's own file descriptors 1 and 2. */
export class ForeignOutput {
  private readonly buffer = Buffer.alloc(pieceSize);
  private readonly decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };
  /** Whether the last look found something. */
  private readonly flows = { stdout: false, stderr: false };
  /** What may be the process's last words, and when they are not. */
  private held = { text: "", until: 0 };

  constructor(private readonly options: ForeignOutputOptions) {}

  /** Looks for more until the process ends. */
  async watch(): Promise<void> {
    const { before, room, isBusy } = this.options;
    for (;;) {
      before();
      const found = this.readPiece("stdout") + this.readPiece("stderr");
      if (found > 0) {
        await room();
        await new Promise(setImmediate);
      } else await new Promise((resolve) => setTimeout(resolve, isBusy() ? busyLookMs : idleLookMs));
    }
  }

  /** Publishes all that has been written so far: asked for by the main thread, which therefore lives. */
  drain(): void {
    for (const name of ["stdout", "stderr"] as const)
      do this.held.until = 0;
      while (this.readPiece(name) > 0);
  }

  /** @returns the number of bytes */
  private readPiece(name: "stdout" | "stderr"): number {
    const { descriptors, publish, fatal } = this.options;
    if (name === "stderr" && this.held.text !== "" && !this.letGo()) return 0;
    const most = name === "stdout" || this.flows.stderr ? pieceSize : beginningSize;
    let size = 0;
    try {
      size = readSync(descriptors[name], this.buffer, 0, most, null);
    } catch {
      // Nothing has been written since.
    }
    this.flows[name] = size > 0;
    const text = this.decoders[name].decode(this.buffer.subarray(0, size), { stream: true });
    if (name === "stderr" && lastWords.test(text)) {
      fatal(text);
      this.held = { text, until: performance.now() + lastWordsMs };
    } else if (text !== "") publish(name, text);
    return size;
  }

  /** Whether what was held back is published, because the process lives on. */
  private letGo(): boolean {
    if (performance.now() < this.held.until) return false;
    this.options.fatal("");
    this.options.publish("stderr", this.held.text);
    this.held = { text: "", until: 0 };
    return true;
  }
}
