import { setTimeout as pause } from "node:timers/promises";
import type { OwnPipes } from "../link";
import { PipeEnd, readSoFar, type StreamName } from "./pipeEnd";
import { RequestPipes } from "./requestPipes";

/** Between two looks while a cell runs, and while none does; after something was found the next look is at once. */
const busyLookMs = 20;
const idleLookMs = 250;
/** Looks take at most one part in so many of the time, however many pipes there are. */
const restShare = 4;

export interface ForeignOutputOptions {
  /** Descriptors of the pipes' ends behind the process's own 1 and 2; reading them never waits. */
  descriptors: Record<StreamName, number>;
  /** @param parent of the request that it belongs to; null for the cell that runs */
  publish(name: StreamName, parent: string | null, text: string): void;
  /** Takes what V8 and Node begin to say on stderr when they are about to abort the process; "" once it lives on. */
  fatal(text: string): void;
  /** Takes what the main thread has sent so far. */
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

/**
 * What is written past console: by native code to the process's own descriptors 1 and 2, by child processes to the pipes
 * of the request that started them.
 */
export class ForeignOutput {
  private readonly stdout: PipeEnd;
  private readonly stderr: PipeEnd;
  private readonly requests: RequestPipes;
  /** Whether the last look at stderr found something. */
  private flows = false;
  /** What may be the process's last words, and when they are not. */
  private held = { text: "", until: 0 };
  /** What has been read, and waits for what the main thread had sent before it was written. */
  private read: Parameters<ForeignOutputOptions["publish"]>[] = [];

  constructor(private readonly options: ForeignOutputOptions) {
    const { descriptors } = options;
    this.stdout = new PipeEnd("stdout", descriptors.stdout);
    this.stderr = new PipeEnd("stderr", descriptors.stderr);
    this.requests = new RequestPipes((...piece) => this.read.push(piece));
  }

  /** What comes out of these pipes belongs to their request. */
  add(pipes: OwnPipes): void {
    this.requests.add(pipes);
  }

  /** Looks for more until the process ends. */
  async watch(): Promise<void> {
    const { before, room, isBusy } = this.options;
    for (;;) {
      const start = performance.now();
      const found = this.readOut() + this.readErr() + this.requests.readPieces();
      before();
      this.publishRead();
      const restMs = restShare * (performance.now() - start);
      if (found > 0) {
        await room();
        await new Promise(setImmediate);
      } else await pause(Math.max(restMs, isBusy() ? busyLookMs : idleLookMs));
    }
  }

  /**
   * Publishes all that has been written so far for this request, or for all: asked for by the main thread, which
   * therefore lives.
   */
  drain(parent?: string): void {
    readSoFar(() => this.readOut());
    readSoFar(() => {
      this.held.until = 0;
      return this.readErr();
    });
    this.requests.drain(parent);
    this.publishRead();
  }

  private publishRead(): void {
    for (const piece of this.read.splice(0)) this.options.publish(...piece);
  }

  /** @returns the number of bytes */
  private readOut(): number {
    const { size, text } = this.stdout.read();
    if (text !== "") this.read.push(["stdout", null, text]);
    return size;
  }

  /** @returns the number of bytes */
  private readErr(): number {
    const { fatal } = this.options;
    if (this.held.text !== "" && !this.letGo()) return 0;
    const { size, text } = this.flows ? this.stderr.read() : this.stderr.read(beginningSize);
    this.flows = size > 0;
    if (lastWords.test(text)) {
      fatal(text);
      this.held = { text, until: performance.now() + lastWordsMs };
    } else if (text !== "") this.read.push(["stderr", null, text]);
    return size;
  }

  /** Whether what was held back is published, because the process lives on. */
  private letGo(): boolean {
    if (performance.now() < this.held.until) return false;
    this.options.fatal("");
    this.read.push(["stderr", null, this.held.text]);
    this.held = { text: "", until: 0 };
    return true;
  }
}
