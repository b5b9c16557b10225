import type { Router, XPublisher } from "zeromq";
import { log } from "../log";

type Frames = readonly (Uint8Array | string)[];

/** Messages that wait for a socket before {@link Sender.room} makes others wait, too. */
const shortQueue = 64;
const retryMs = 2;

/** zeromq allows one waiting send per socket: the rest waits here, in order. */
export class Sender {
  private waiting: Frames[] = [];
  private sending = false;
  private idle: (() => void)[] = [];

  /** @param slow what to do about a socket that is full: how long to try, and then */
  constructor(
    private readonly socket: Router | XPublisher,
    private readonly slow?: { patienceMs: number; giveUp(): void },
  ) {}

  send(frames: Frames): void {
    this.waiting.push(frames);
    if (!this.sending) void this.drain();
  }

  /** Resolves once everything has been handed to zeromq. */
  flushed(): Promise<void> {
    return this.sending ? new Promise((resolve) => this.idle.push(resolve)) : Promise.resolve();
  }

  /** Resolves once few messages are waiting. */
  async room(): Promise<void> {
    if (this.waiting.length >= shortQueue) await this.flushed();
  }

  private async drain(): Promise<void> {
    this.sending = true;
    while (this.waiting.length > 0 && !this.socket.closed) {
      const batch = this.waiting;
      this.waiting = [];
      for (const frames of batch) await this.sendNow(frames);
    }
    this.sending = false;
    for (const resolve of this.idle.splice(0)) resolve();
  }

  private async sendNow(frames: Frames): Promise<void> {
    for (let since = performance.now(); ; ) {
      try {
        return await this.socket.send([...frames]);
      } catch (error) {
        if (this.socket.closed) return;
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || !this.slow)
          return log(`a message could not be sent: ${String(error)}`);
        if (performance.now() - since > this.slow.patienceMs) {
          this.slow.giveUp();
          since = performance.now();
        }
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }
}
