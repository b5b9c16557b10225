// The kernel's process: `lutnn kernel <connection file>`. This thread runs the cells; the wire thread, started first so
// that clients are served while the compiler loads, talks to them.
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { getHeapStatistics } from "node:v8";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { installHost } from "../host/host";
import { Cell } from "./cell";
import { CellRunner } from "./cellRunner";
import { watchChildCalls } from "./childCalls";
import { markName } from "./children";
import { CommManager } from "./comms";
import type { CompileSettings } from "./compile/messages";
import { CompilerLink } from "./compilerLink";
import { readConnection } from "./connection";
import { currentContext, hideContexts } from "./context";
import { dataFolder } from "./dataFolder";
import { redirectDescriptors } from "./descriptors";
import { Dispatcher } from "./dispatcher";
import { ExecutionQueue } from "./executionQueue";
import { exposeCollector } from "./garbage";
import { Input } from "./input";
import { Intrinsics } from "./intrinsics";
import { Slot, slots, type ToMain, type WireSettings } from "./link";
import { log, logError, logToWatcher } from "./log";
import { notebookHost } from "./notebookHost";
import { installStdin } from "./notebookStdin";
import { Output } from "./output";
import { installPrompt } from "./prompt";
import { restoreRemovedFunctions } from "./removedFunctions";
import { installStackTraces } from "./scripts";
import { captureStreams } from "./streams";
import { describeError } from "./traceback";
import { Unwinding } from "./unwinding";
import { KernelZone } from "./zone";

/**
 * V8 lets garbage grow to a multiple of what is in use, and the multiple with the limit: with its own limits the compiler
 * would take 300 MB for the 80 that it needs.
 */
const heapLimits = {
  wire: { maxYoungGenerationSizeMb: 8 },
  // With 4 MB of stack, as usual, types may follow from each other over some 1,200 steps, with 16 over some 5,000.
  compile: { maxOldGenerationSizeMb: 1024, maxYoungGenerationSizeMb: 24, stackSizeMb: 16 },
};
/** Said of what a cell has overwritten. */
const overwritten = "The kernel and the libraries need what was overwritten, so it has been put back";
/** How long the last messages may take on their way when the process ends. */
const flushMs = 1000;

function startKernel(connectionFile: string): void {
  exposeCollector();
  const connection = readConnection(connectionFile);
  const mark = { pid: process.pid, text: randomUUID() };
  const heapLimit = Math.round(getHeapStatistics().heap_size_limit / 2 ** 20);
  const descriptors = redirectDescriptors(connectionFile, mark, heapLimit);
  if (descriptors) logToWatcher(descriptors.watcher);
  process.env[markName] = mark.text;
  const memory = new SharedArrayBuffer(slots * Int32Array.BYTES_PER_ELEMENT);
  const shared = new Int32Array(memory);
  const { port1: inbox, port2: farInbox } = new MessageChannel();
  const { port1: answers, port2: farAnswers } = new MessageChannel();
  const { port1: compilerForWire, port2: wireForCompiler } = new MessageChannel();
  const { port1: compilerPort, port2: mainForCompiler } = new MessageChannel();
  const folder = process.cwd();
  const wireSettings: WireSettings = {
    connection,
    descriptors,
    mark,
    session: randomUUID(),
    shared: memory,
    inbox: farInbox,
    answers: farAnswers,
    compiler: compilerForWire,
    historyFile: process.env.LUTNN_HISTORY ?? join(dataFolder(), "lutnn", "history.jsonl"),
  };
  const wire = startThread("wire", wireSettings, [farInbox, farAnswers, compilerForWire]);
  const compileSettings: CompileSettings = { folder, main: mainForCompiler, wire: wireForCompiler };
  startThread("compile", compileSettings, [mainForCompiler, wireForCompiler]);

  const zone = new KernelZone(shared);
  const output = new Output(inbox, zone, shared);
  const comms = new CommManager(output);
  const input = new Input(output, zone, shared, answers);
  installHost(notebookHost(output, comms, input, (value) => runner.nameOf(value)));
  installPrompt(input);
  installStdin(input);
  if (descriptors) watchChildCalls(output, zone, shared, descriptors.folder);
  installStackTraces();
  const unwinding = new Unwinding(shared);
  restoreRemovedFunctions();
  hideContexts();
  captureStreams(output);
  const currentCell = () => {
    const context = currentContext();
    return context instanceof Cell ? context : undefined;
  };
  const display = (content: object, update: boolean) =>
    output.publish(update ? "update_display_data" : "display_data", content);
  const intrinsics = new Intrinsics();
  const repair = () => {
    const names = intrinsics.restore();
    if (names !== "") output.stream("stderr", `${overwritten}: ${names}.\n`);
  };
  const compiler = new CompilerLink(compilerPort);
  const runner = new CellRunner({ folder, compiler, currentCell, display, afterCode: repair });
  const queue = new ExecutionQueue(runner, output, zone, repair);
  const dispatcher = new Dispatcher(queue, comms, output);

  let terminations = 0;
  const takeInterrupt = () => {
    const requested = zone.run(() => zone.takeInterrupt());
    const stopped = zone.terminations !== terminations;
    if (!requested && !stopped) return;
    terminations = zone.terminations;
    if (stopped) unwinding.end();
    const isCell = queue.current !== null;
    queue.interrupt(stopped);
    dispatcher.interrupt(stopped && !isCell);
  };
  wire.on("message", () => {
    repair();
    takeInterrupt();
    for (;;) {
      const received: { message: ToMain } | undefined = zone.run(() => receiveMessageOnPort(inbox));
      if (!received) return;
      const { message } = received;
      if (message.kind === "request") dispatcher.take(message.request);
      else if (message.kind === "fence") queue.fence();
      else if (message.kind === "input") input.take(message.value);
      else process.exit(0);
    }
  });
  const report = (what: string) => (error: unknown) =>
    output.stream("stderr", `${what} ${describeError(error, "", "").traceback.join("\n")}\n`);
  intrinsics.listen("uncaughtException", report("Uncaught"));
  intrinsics.listen("unhandledRejection", report("Unhandled rejection:"));
  intrinsics.listen("exit", (code: number) => {
    queue.endOfProcess(code);
    output.end();
    Atomics.wait(shared, Slot.flushed, 0, flushMs);
  });
}

/** A thread of the kernel's own. What it prints is for whoever runs the server, not for the notebook. */
function startThread(name: keyof typeof heapLimits, workerData: object, transferList: MessagePort[]): Worker {
  const file = join(__dirname, name, "thread.js");
  const resourceLimits = heapLimits[name];
  // The wire thread closes descriptors that the main thread has opened.
  const trackUnmanagedFds = false;
  const options = { workerData, transferList, resourceLimits, stdout: true, stderr: true, trackUnmanagedFds };
  const thread = new Worker(file, options);
  for (const stream of [thread.stdout, thread.stderr])
    stream.on("data", (text) => log(String(text).trimEnd()));
  thread.on("error", (error) => fatal(`the ${name} thread failed`, error));
  return thread;
}

/** One sentence for what someone can do something about, a stack for a defect of the kernel's. */
function fatal(what: string, error: unknown): never {
  const known = error instanceof Error && error.name === "LutnnError";
  if (known) log(error.message);
  else logError(what, error);
  process.exit(1);
}

const [command, connectionFile] = process.argv.slice(2);
if (command !== "kernel" || connectionFile === undefined) fatal("usage", "lutnn kernel <connection file>");
try {
  startKernel(connectionFile);
} catch (error) {
  fatal("it could not start", error);
}
