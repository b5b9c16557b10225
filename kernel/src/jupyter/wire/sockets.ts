import { Router, type Socket, XPublisher } from "zeromq";
import { LutnnError } from "../../errors";
import type { Connection } from "../connection";
import { logError } from "../log";

/** A larger message closes its connection. */
const maxMessageSize = 1 << 30;
/** Messages that may wait for one slow client … */
const publisherQueue = 10_000;
/** … before all wait for it, so long … */
const publisherPatienceMs = 2000;
/** … and then, for this time, go on without it: what it does not take is lost for it alone. */
const publisherImpatienceMs = 30_000;

/** How long a port may be taken at the start: a kernel that has died may still be heard of there. */
const takenPatienceMs = 2000;
const takenRetryMs = 50;

/** The five sockets of a kernel, bound. */
export interface Sockets {
  shell: Router;
  control: Router;
  stdin: Router;
  iopub: XPublisher;
  heartbeat: Router;
}

/** Throws LutnnError where an address cannot be listened to; no socket is left open then. */
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
  const bind = (socket: Socket, port: number) => bindTo(socket, `${transport}://${ip}${separator}${port}`);
  try {
    await bind(sockets.shell, connection.shellPort);
    await bind(sockets.control, connection.controlPort);
    await bind(sockets.stdin, connection.stdinPort);
    await bind(sockets.iopub, connection.iopubPort);
    await bind(sockets.heartbeat, connection.heartbeatPort);
  } catch (error) {
    for (const socket of Object.values(sockets)) socket.close();
    throw error;
  }
  return sockets;
}

/** Waits a moment for a port that another kernel is about to leave. Throws LutnnError. */
async function bindTo(socket: Socket, address: string): Promise<void> {
  for (const start = performance.now(); ; )
    try {
      return await socket.bind(address);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const isTaken = code === "EADDRINUSE";
      if (!isTaken || performance.now() - start > takenPatienceMs)
        throw new LutnnError(
          `kernel: every address of the connection file must be free and of this machine (got ${address}: ${isTaken ? "another process listens there" : (error as Error).message}); let Jupyter choose, by starting the kernel again`,
        );
      await new Promise((resolve) => setTimeout(resolve, takenRetryMs));
    }
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

const report = (error: unknown) => logError("a message could not be handled", error);
