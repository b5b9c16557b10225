import { encode, type Outgoing } from "./codec";
import { Sender } from "./sender";
import type { Signer } from "./signature";
import { type Sockets, slowClient } from "./sockets";
import { StreamText } from "./streamText";

/** Everything that leaves the kernel, in order. */
export class Mailer {
  readonly streams = new StreamText((parent, content) => this.publishNow("stream", parent, content));
  private readonly senders: Record<"shell" | "control" | "stdin" | "iopub", Sender>;
  /** Parents of the requests that are being handled, the newest last. */
  private readonly busy: string[] = [];

  constructor(
    private readonly sockets: Sockets,
    private readonly session: string,
    private readonly signer: Signer,
  ) {
    const { shell, control, stdin, iopub } = sockets;
    this.senders = {
      shell: new Sender(shell),
      control: new Sender(control),
      stdin: new Sender(stdin),
      iopub: new Sender(iopub, slowClient(iopub)),
    };
  }

  /** Sends after what has been printed so far. */
  send(channel: keyof typeof this.senders, message: Outgoing): void {
    this.streams.flush();
    this.senders[channel].send(encode(message, this.session, this.signer));
  }

  /** A side effect of the kernel's on iopub. */
  publish(type: string, parent: string, content: object): void {
    this.streams.flush();
    this.publishNow(type, parent, content);
  }

  /**
   * Brackets the handling of a request. Clients show the newest status as that of the kernel, so a request that is
   * still being handled becomes the newest again after another has been served in between.
   */
  status(parent: string, state: "busy" | "idle"): void {
    this.publish("status", parent, { execution_state: state });
    if (state === "busy") this.busy.push(parent);
    else {
      const index = this.busy.lastIndexOf(parent);
      if (index >= 0) this.busy.splice(index, 1);
      const running = this.busy.at(-1);
      if (running !== undefined) this.publish("status", running, { execution_state: "busy" });
    }
  }

  /** Resolves once clients take what is published about as fast as it comes. */
  room(): Promise<void> {
    return this.senders.iopub.room();
  }

  /** Sends what is waiting, then closes all sockets. */
  async close(): Promise<void> {
    this.streams.flush();
    await Promise.all(Object.values(this.senders).map((sender) => sender.flushed()));
    for (const socket of Object.values(this.sockets)) socket.close();
  }

  private publishNow(type: string, parent: string, content: object): void {
    const message = { identities: [type], type, parent, content: JSON.stringify(content) };
    this.senders.iopub.send(encode(message, this.session, this.signer));
  }
}
