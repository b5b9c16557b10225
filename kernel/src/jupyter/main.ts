// The kernel's process: `lutnn kernel <connection file>`. This thread runs the cells; the wire thread, started first so
// that clients are served while the compiler loads, talks to them.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { installHost } from "../host/host";
import { Cell } from "./cell";
import { CommManager } from "./comms";
import { readConnection } from "./connection";
import { currentContext } from "./context";
import { dataFolder } from "./dataFolder";
import { Dispatcher } from "./dispatcher";
import { ExecutionQueue } from "./executionQueue";
import { Slot, slots, type ToMain, type WireSettings } from "./link";
import { log } from "./log";
import { notebookHost } from "./notebookHost";
import { Output } from "./output";
import { installStackTraces } from "./scripts";
import { captureStreams } from "./streams";
import { describeError } from "./traceback";
import { Tslab } from "./tslab";
import { prepareUnwinding } from "./unwinding";
import { KernelZone } from "./zone";

/** How long the last messages may take on their way when the process ends. */
const flushMs = 1000;

function startKernel(connectionFile: string): void {
  const memory = new SharedArrayBuffer(slots * Int32Array.BYTES_PER_ELEMENT);
  const shared = new Int32Array(memory);
  const { port1: inbox, port2: far } = new MessageChannel();
  const workerData: WireSettings = {
    connection: readConnection(connectionFile),
    session: randomUUID(),
    shared: memory,
    inbox: far,
    historyFile: process.env.LUTNN_HISTORY ?? join(dataFolder(), "lutnn", "history.jsonl"),
  };
  const wire = new Worker(join(__dirname, "wire/thread.js"), { workerData, transferList: [far] });
  wire.on("error", (error) => fatal("the thread that talks to the clients failed", error));

  const zone = new KernelZone(shared);
  const output = new Output(inbox, zone);
  const comms = new CommManager(output);
  installHost(notebookHost(output, comms));
  installStackTraces();
  prepareUnwinding();
  captureStreams(output);
  const currentCell = () => {
    const context = currentContext();
    return context instanceof Cell ? context : undefined;
  };
  const display = (content: object, update: boolean) =>
    output.publish(update ? "update_display_data" : "display_data", content);
  const tslab = new Tslab({ folder: process.cwd(), zone, currentCell, display });
  const queue = new ExecutionQueue(tslab, output);
  const dispatcher = new Dispatcher(tslab, queue, comms, output);

  let terminations = 0;
  const takeInterrupt = () => {
    if (!zone.run(() => zone.takeInterrupt())) return;
    const stopped = zone.terminations !== terminations;
    terminations = zone.terminations;
    queue.interrupt(stopped);
    dispatcher.interrupt();
  };
  wire.on("message", () => {
    takeInterrupt();
    for (;;) {
      const received: { message: ToMain } | undefined = zone.run(() => receiveMessageOnPort(inbox));
      if (!received) return;
      const { message } = received;
      if (message.kind === "request") dispatcher.take(message.request);
      else if (message.kind === "fence") queue.fence();
      else process.exit(0);
    }
  });
  const report = (what: string) => (error: unknown) =>
    output.stream("stderr", `${what} ${describeError(error, "", "").traceback.join("\n")}\n`);
  process.on("uncaughtException", report("Uncaught"));
  process.on("unhandledRejection", report("Unhandled rejection:"));
  process.on("exit", (code) => {
    queue.endOfProcess(code);
    output.end();
    Atomics.wait(shared, Slot.flushed, 0, flushMs);
  });
}

function fatal(what: string, error: unknown): never {
  log(`${what}: ${error instanceof Error ? error.stack : String(error)}`);
  process.exit(1);
}

const [command, connectionFile] = process.argv.slice(2);
if (command !== "kernel" || connectionFile === undefined) fatal("usage", "lutnn kernel <connection file>");
try {
  startKernel(connectionFile);
} catch (error) {
  fatal("it could not start", error);
}
