import { Router, type Socket, XPublisher } from "zeromq";
import type { Connection } from "../connection";
import { log } from "../log";

/** A larger message closes its connection. */
const maxMessageSize = 1 << 30;
/** Messages that may wait for one slow client … */
const publisherQueue = 10_000;
/** … before all wait for it, so long … */
const publisherPatienceMs = 2000;
/** … and then, for this time, go on without it: what it does not take is lost for it alone. */
const publisherImpatienceMs = 30_000;

/** The five sockets of a kernel, bound. */
export interface Sockets {
  shell: Router;
  control: Router;
  stdin: Router;
  iopub: XPublisher;
  heartbeat: Router;
}

export async function bindSockets(connection: Connection): Promise<Sockets> {
  const options = { maxMessageSize, linger: 1000 };
  const sockets: Sockets = {
    shell: new Router(options),
    control: new Router(options),
    stdin: new Router(options),
    iopub: new XPublisher({
      ...options,
      verbosity: "allSubs",
      noDrop: true,
      sendHighWaterMark: publisherQueue,
    }),
    heartbeat: new Router(options),
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

/** What to do when a client does not read what is published. */
export const slowClient = (iopub: XPublisher) => ({
  patienceMs: publisherPatienceMs,
  giveUp() {
    iopub.noDrop = false;
    setTimeout(() => {
      if (!iopub.closed) iopub.noDrop = true;
    }, publisherImpatienceMs);
  },
});

/**
 * Calls `take` with every message until the socket is closed, without waiting for what it does. Whatever a peer sends,
 * the loop goes on.
 */
export async function receive(
  socket: Router | XPublisher,
  take: (frames: Buffer[]) => void | Promise<void>,
): Promise<void> {
  while (!socket.closed)
    try {
      const frames = await socket.receive();
      Promise.resolve(frames).then(take).catch(report);
    } catch (error) {
      if (socket.closed) return;
      report(error);
      await new Promise(setImmediate);
    }
}

const report = (error: unknown) =>
  log(`a message could not be handled: ${error instanceof Error ? error.stack : error}`);
