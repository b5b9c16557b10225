import { MessageChannel } from "node:worker_threads";

const { port1, port2 } = new MessageChannel();
const waiting: (() => void)[] = [];
port2.on("message", () => {
  // All that waits, not one for each message: a message is lost when the thread is stopped as it takes it.
  for (const work of waiting.splice(0)) work();
});
port2.unref();

/**
 * Calls `work` from the event loop. Unlike with setImmediate, nothing of Node's own is lost when the wire thread has
 * to stop what `work` does.
 */
export function onNextTurn(work: () => void): void {
  waiting.push(work);
  port1.postMessage(null);
}
