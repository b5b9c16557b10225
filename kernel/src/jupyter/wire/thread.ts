// The wire thread: owns the sockets, checks every message, answers what needs no user code (heartbeat, kernel_info,
// history, interrupt, shutdown), has the compile thread assist the editor, and hands the rest to the main thread.
import { join } from "node:path";
import { type MessagePort, parentPort, receiveMessageOnPort, Worker, workerData } from "node:worker_threads";
import { endChildren } from "../children";
import { Slot, type ToMain, type ToWire, type WireSettings } from "../link";
import { log, logError, logToWatcher } from "../log";
import { Assistant } from "./assistant";
import { ForeignOutput } from "./foreignOutput";
import { History } from "./history";
import { Interrupter } from "./interrupter";
import { Mailer } from "./mailer";
import { watchParent } from "./parentWatch";
import { Questions } from "./questions";
import { Requests } from "./requests";
import { Sender } from "./sender";
import { Signer } from "./signature";
import { bindSockets, receive } from "./sockets";
import { type Cells, takerFromMain } from "./takeFromMain";
import { Watcher } from "./watcher";

/** How long the main thread may take to run the user's exit handlers. */
const exitPatienceMs = 1000;

/** @param knock tells the main thread to look into its inbox */
async function start(settings: WireSettings, knock: () => void): Promise<void> {
  const { connection, session, inbox, descriptors, mark } = settings;
  if (descriptors) logToWatcher(descriptors.watcher);
  const shared = new Int32Array(settings.shared);
  const signer = new Signer(connection.key, connection.hash);
  const history = new History(settings.historyFile);
  const assistant = new Assistant(settings.compiler);
  const sockets = await bindSockets(connection).catch((error) => {
    // There is nothing that the end of the process would have to wait for.
    Atomics.store(shared, Slot.flushed, 1);
    throw error;
  });
  // From here on the thread must not end by itself: zeromq aborts the process when one ends that has sockets open.
  process.on("uncaughtException", (error) => logError("the wire thread failed at something", error));
  const heartbeats = new Sender(sockets.heartbeat);
  const mailer = new Mailer(sockets, session, signer);

  // A knock is lost when the main thread is stopped in the middle of it; the message stays until the next one.
  const toMain = (message: ToMain) => {
    inbox.postMessage(message);
    knock();
  };
  const cells: Cells = { newest: null, isRunning: false };
  const watcher = new Watcher(descriptors);
  const own = watcher.pid === null ? [] : [watcher.pid];
  /** The kernel's own, and the user's in the background. */
  const background = new Set(own);
  const questions = new Questions(shared, settings.answers, (value) => toMain({ kind: "input", value }));
  const interrupter = new Interrupter(shared, {
    wake: knock,
    say(sentence) {
      if (cells.newest && cells.isRunning)
        mailer.streams.insert("stderr", cells.newest.headerJson, `${sentence}\n`);
    },
    isChild: (pid) => !background.has(pid),
  });
  watchSignals(() => interrupter.interrupt());
  const foreign =
    descriptors &&
    new ForeignOutput({
      descriptors,
      publish(name, parent, text) {
        const { newest } = cells;
        if (parent !== null) mailer.streams.insert(name, parent, text);
        else if (!newest) log(text.trimEnd());
        else if (!newest.silent) mailer.streams.insert(name, newest.headerJson, text);
      },
      fatal: (text) => watcher.words(text),
      before: () => takeWaiting(),
      room: () => mailer.room(),
      isBusy: () => cells.isRunning,
    });
  const endChildProcesses = async () => {
    await endChildren(mark, own);
    watcher.bye();
  };
  const endProcess = async () => {
    await mailer.close();
    await endChildProcesses();
    toMain({ kind: "shutdown" });
    setTimeout(() => process.kill(process.pid, "SIGKILL"), exitPatienceMs);
  };
  const requests = new Requests({
    signer,
    mailer,
    history: (content) => history.answer(content),
    assist: (type, content) => assistant.answer(type, content),
    interrupt: () => interrupter.interrupt(),
    input: (value) => questions.answer(value),
    forward: (request) => toMain({ kind: "request", request }),
    end: endProcess,
  });
  watchParent({ gone: () => void endProcess(), isWanted: () => requests.isWanted });
  const takeFromMain = takerFromMain({
    ...{ shared, mailer, history, questions, watcher, foreign, background, requests, cells, toMain },
    endChildProcesses,
  });
  let taken = 0;
  const take = (message: ToWire) => {
    taken = (taken + 1) | 0;
    void takeFromMain(message);
  };
  // What the main thread has sent until now, and no more: it may send as fast as this takes, for as long as it likes.
  const takeWaiting = () => {
    for (const posted = Atomics.load(shared, Slot.posted); ((posted - taken) | 0) > 0; ) {
      const next: { message: ToWire } | undefined = receiveMessageOnPort(inbox);
      if (!next) return;
      take(next.message);
    }
  };
  inbox.on("message", take);
  void foreign?.watch();

  const welcome = (subscription: string) => {
    const content = JSON.stringify({ subscription });
    mailer.send("iopub", { identities: [subscription], type: "iopub_welcome", parent: "{}", content });
  };
  const subscriptions = receive(sockets.iopub, ([event]) => {
    const [subscribes] = event;
    if (subscribes) welcome(event.subarray(1).toString());
  });
  // Who has subscribed since the socket was bound is welcomed before anything is published.
  await new Promise(setImmediate);
  await new Promise(setImmediate);
  mailer.publish("status", "{}", { execution_state: "starting" });
  await Promise.all([
    subscriptions,
    receive(sockets.shell, requests.from("shell")),
    receive(sockets.control, requests.from("control")),
    receive(sockets.stdin, requests.from("stdin")),
    receive(sockets.heartbeat, (frames) => heartbeats.send(frames)),
  ]);
}

/** Calls back at each SIGINT. */
function watchSignals(take: () => void): void {
  const thread = new Worker(join(__dirname, "signalThread.js"), {
    resourceLimits: { maxOldGenerationSizeMb: 16 },
  });
  thread.on("message", take);
  // Without it the next SIGINT would end the process, and an error that nobody takes this thread, and that the process.
  thread.on("error", (error) => logError("the thread that waits for signals failed", error));
  thread.on("exit", () => watchSignals(take));
}

const knocker: MessagePort | null = parentPort;
if (knocker) void start(workerData as WireSettings, () => knocker.postMessage(null));
