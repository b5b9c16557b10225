// The wire thread: owns the sockets, checks every message, answers what needs no user code (heartbeat, kernel_info,
// history, interrupt, shutdown), has the compile thread assist the editor, and hands the rest to the main thread.
import { writeSync } from "node:fs";
import { join } from "node:path";
import { type MessagePort, parentPort, receiveMessageOnPort, Worker, workerData } from "node:worker_threads";
import { endChildren } from "../children";
import { lineEnd } from "../descriptors";
import { release, sizeOf } from "../flow";
import { collectorOfGarbage } from "../garbage";
import {
  type JsonObject,
  type Request,
  type RunningCell,
  Slot,
  type ToMain,
  type ToWire,
  type WireSettings,
} from "../link";
import { log, logToWatcher } from "../log";
import { Assistant } from "./assistant";
import { decode } from "./codec";
import { ForeignOutput } from "./foreignOutput";
import { History } from "./history";
import { Interrupter } from "./interrupter";
import { kernelInfo } from "./kernelInfo";
import type { LastCell } from "./lastWords";
import { Mailer } from "./mailer";
import { watchParent } from "./parentWatch";
import { Questions } from "./questions";
import { Sender } from "./sender";
import { Signer } from "./signature";
import { bindSockets, receive } from "./sockets";

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
  const heartbeats = new Sender(sockets.heartbeat);
  const mailer = new Mailer(sockets, session, signer);

  // A knock is lost when the main thread is stopped in the middle of it; the message stays until the next one.
  const toMain = (message: ToMain) => {
    inbox.postMessage(message);
    knock();
  };
  const questions = new Questions(shared, settings.answers, (value) => toMain({ kind: "input", value }));
  const interrupter = new Interrupter(shared, {
    wake: knock,
    say(sentence) {
      if (cell && isRunning) mailer.streams.insert("stderr", cell.headerJson, `${sentence}\n`);
    },
    isChild: (pid) => !background.has(pid),
  });
  const signals = new Worker(join(__dirname, "signalThread.js"), {
    resourceLimits: { maxOldGenerationSizeMb: 16 },
  });
  signals.on("message", () => interrupter.interrupt());
  /** The cell that runs, or ran last. */
  let cell: RunningCell | null = null;
  let isRunning = false;
  /** The watcher, and child processes in the background. */
  const background = new Set(descriptors ? [descriptors.watcherPid] : []);
  const tellWatcher = (line: string) => {
    if (!descriptors) return;
    try {
      writeSync(descriptors.watcher, `${line}\n`);
    } catch {
      // It is gone, or far behind: it would only have told of the kernel's end.
    }
  };
  const foreign =
    descriptors &&
    new ForeignOutput({
      descriptors,
      publish(name, text) {
        if (!cell) log(text.trimEnd());
        else if (!cell.silent) mailer.streams.insert(name, cell.headerJson, text);
      },
      fatal: (text) => tellWatcher(`words ${text.replaceAll("\n", lineEnd)}`),
      before: () => takeWaiting(),
      room: () => mailer.room(),
      isBusy: () => isRunning,
    });
  const endChildProcesses = async () => {
    await endChildren(mark, new Set(descriptors ? [descriptors.watcherPid] : []));
    tellWatcher("bye");
  };
  const endProcess = async () => {
    await mailer.close();
    await endChildProcesses();
    toMain({ kind: "shutdown" });
    setTimeout(() => process.kill(process.pid, "SIGKILL"), exitPatienceMs);
  };
  const collectGarbage = collectorOfGarbage();
  let isWanted = false;
  watchParent({ gone: () => void endProcess(), isWanted: () => isWanted });

  const assist = (content: JsonObject, type: string) => assistant.answer(type, content);
  type Answer = (content: JsonObject, type: string) => object | Promise<object>;
  // A map, since a message may be of any type, also of a name that every object has.
  const answers = new Map<string, Answer>([
    ["kernel_info_request", kernelInfo],
    ["history_request", (content) => history.answer(content)],
    ["complete_request", assist],
    ["inspect_request", assist],
    ["is_complete_request", assist],
    [
      "interrupt_request",
      () => {
        interrupter.interrupt();
        return { status: "ok" };
      },
    ],
    ["shutdown_request", ({ restart }) => ({ status: "ok", restart: restart === true })],
  ]);
  /** Messages taken so far. Whether more has come is not asked of a socket: the question can cost it its next wake-up. */
  let taken = 0;
  const take = (channel: Request["channel"]) => async (frames: Buffer[]) => {
    taken++;
    const request = decode(channel, frames, signer);
    if (typeof request === "string") return log(`a message on ${channel} was ignored: ${request}`);
    isWanted = true;
    const { headerJson: parent, identities, content } = request;
    const type = request.header.msg_type;
    if (channel === "stdin") return questions.answer(content.value);
    const answer = answers.get(type);
    if (!answer) return toMain({ kind: "request", request });
    mailer.status(parent, "busy");
    const reply = JSON.stringify(await answer(content, type));
    mailer.send(channel, { identities, type: type.replace("_request", "_reply"), parent, content: reply });
    mailer.status(parent, "idle");
    if (type === "shutdown_request") await endProcess();
  };

  const takeFromMain = async (message: ToWire) => {
    if (typeof message === "string") return mailer.streams.add(message);
    switch (message.kind) {
      case "stream":
        return mailer.streams.begin(message.name, message.parent);
      case "status":
        return mailer.status(message.parent, message.state);
      case "publish":
        return mailer.send("iopub", { ...message, identities: [message.type] });
      case "reply": {
        const { channel, identities, headerJson: parent } = message.to;
        return mailer.send(channel, { ...message, identities, parent });
      }
      case "input": {
        const { identities, headerJson: parent } = message.to;
        questions.ask(message.blocking);
        return mailer.send("stdin", { identities, type: "input_request", parent, content: message.content });
      }
      case "cell":
        isRunning = message.cell !== null;
        cell = message.cell ?? cell;
        return tellWatcher(`cell ${JSON.stringify(message.cell && lastCell(message.cell))}`);
      case "child":
        background.add(message.pid);
        return;
      case "drain":
        foreign?.drain();
        Atomics.add(shared, Slot.drained, 1);
        Atomics.notify(shared, Slot.drained);
        return;
      case "history":
        history.add(message.entry);
        return collectGarbage();
      case "fence": {
        // Two turns of the event loop without a message: the first may be under way already.
        for (let before = -1; before !== taken; ) {
          before = taken;
          await new Promise(setImmediate);
          await new Promise(setImmediate);
        }
        return toMain({ kind: "fence" });
      }
      case "exit":
        foreign?.drain();
        await Promise.all([mailer.close(), endChildProcesses()]);
        Atomics.store(shared, Slot.flushed, 1);
        Atomics.notify(shared, Slot.flushed);
    }
  };
  const takeMessage = async (message: ToWire) => {
    await takeFromMain(message);
    const size = sizeOf(message);
    if (size === 0) return;
    await mailer.room();
    release(shared, size);
  };
  const takeWaiting = () => {
    for (let next = receiveMessageOnPort(inbox); next; next = receiveMessageOnPort(inbox))
      void takeMessage(next.message);
  };
  inbox.on("message", takeMessage);
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
    receive(sockets.shell, take("shell")),
    receive(sockets.control, take("control")),
    receive(sockets.stdin, take("stdin")),
    receive(sockets.heartbeat, (frames) => heartbeats.send(frames)),
  ]);
}

const lastCell = ({ headerJson, identities, executionCount }: RunningCell): LastCell => ({
  headerJson,
  identities: identities.map((identity) => Buffer.from(identity).toString("base64")),
  executionCount,
});

const knocker: MessagePort | null = parentPort;
if (knocker) void start(workerData as WireSettings, () => knocker.postMessage(null));
