import { readSync } from "node:fs";

/** Between two looks while a cell runs, and while none does; after something was found the next look is at once. */
const busyLookMs = 20;
const idleLookMs = 250;
const pieceSize = 1 << 16;

export interface ForeignOutputOptions {
  /** Descriptors of the pipes' ends; reading them never waits. */
  descriptors: Record<"stdout" | "stderr", number>;
  publish(name: "stdout" | "stderr", text: string): void;
  /** Takes what V8 and Node say on stderr when they are about to abort the process. */
  fatal(text: string): void;
  /** Takes what the main thread has sent before. */
  before(): void;
  /** Resolves once clients take what is published about as fast as it comes. */
  room(): Promise<void>;
  isBusy(): boolean;
}

/** How the report begins that comes before the end: of the heap that is full, of a failed assertion. */
const lastWords = /<--- Last few GCs --->|FATAL ERROR: |#\n# Fatal error in /;

/** What child processes and native code write to the process's own file descriptors 1 and 2. */
export class ForeignOutput {
  private readonly buffer = Buffer.alloc(pieceSize);
  private readonly decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() };

  private isEnding = false;

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

  /** Publishes all that has been written so far. */
  drain(): void {
    for (const name of ["stdout", "stderr"] as const) while (this.readPiece(name) > 0);
  }

  /** @returns the number of bytes */
  private readPiece(name: "stdout" | "stderr"): number {
    const { descriptors, publish, fatal } = this.options;
    let size = 0;
    try {
      size = readSync(descriptors[name], this.buffer);
    } catch {
      return 0; // Nothing has been written since.
    }
    const text = this.decoders[name].decode(this.buffer.subarray(0, size), { stream: true });
    this.isEnding ||= name === "stderr" && lastWords.test(text);
    if (this.isEnding && name === "stderr") fatal(text);
    else if (text !== "") publish(name, text);
    return size;
  }
}
