import { Reply, Router, type Socket, XPublisher } from "zeromq";
import type { Connection } from "../connection";
import { log } from "../log";

/** A larger message closes its connection. */
const maxMessageSize = 1 << 30;

/** The five sockets of a kernel, bound. */
export interface Sockets {
  shell: Router;
  control: Router;
  stdin: Router;
  iopub: XPublisher;
  heartbeat: Reply;
}

export async function bindSockets(connection: Connection): Promise<Sockets> {
  const options = { maxMessageSize, linger: 1000 };
  const sockets: Sockets = {
    shell: new Router(options),
    control: new Router(options),
    stdin: new Router(options),
    iopub: new XPublisher({ ...options, verbosity: "allSubs" }),
    heartbeat: new Reply(options),
  };
  const { transport, ip } = connection;
  const separator = transport === "tcp" ? ":" : "-";
  const bind = (socket: Socket, port: number) => socket.bind(`${transport}://${ip}${separator}${port}`);
  await Promise.all([
    bind(sockets.shell, connection.shellPort),
    bind(sockets.control, connection.controlPort),
    bind(sockets.stdin, connection.stdinPort),
    bind(sockets.iopub, connection.iopubPort),
    bind(sockets.heartbeat, connection.heartbeatPort),
  ]);
  return sockets;
}

/** Calls `take` with every message until the socket is closed. */
export async function receive(socket: Router | XPublisher, take: (frames: Buffer[]) => void): Promise<void> {
  for await (const frames of socket) take(frames);
}

/** Answers heartbeats. */
export async function echo(socket: Reply): Promise<void> {
  for await (const frames of socket) await socket.send(frames);
}

type Frames = readonly (Uint8Array | string)[];

/** zeromq allows one waiting send per socket: the rest waits here, in order. */
export class Sender {
  private readonly waiting: Frames[] = [];
  private sending = false;
  private idle: (() => void)[] = [];

  constructor(private readonly socket: Router | XPublisher) {}

  send(frames: Frames): void {
    this.waiting.push(frames);
    if (!this.sending) void this.drain();
  }

  /** Resolves once everything has been handed to zeromq. */
  flushed(): Promise<void> {
    return this.sending ? new Promise((resolve) => this.idle.push(resolve)) : Promise.resolve();
  }

  private async drain(): Promise<void> {
    this.sending = true;
    for (let frames = this.waiting.shift(); frames; frames = this.waiting.shift()) {
      try {
        await this.socket.send([...frames]);
      } catch (error) {
        if (this.socket.closed) break;
        log(`a message could not be sent: ${String(error)}`);
      }
    }
    this.sending = false;
    for (const resolve of this.idle.splice(0)) resolve();
  }
}
