// The wire thread: owns the sockets, checks every message, answers what needs no user code (heartbeat, kernel_info,
// history, interrupt, shutdown) and hands the rest to the main thread.
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { type JsonObject, type Request, Slot, type ToMain, type ToWire, type WireSettings } from "../link";
import { log } from "../log";
import { decode } from "./codec";
import { History } from "./history";
import { Interrupter } from "./interrupter";
import { kernelInfo } from "./kernelInfo";
import { Mailer } from "./mailer";
import { watchParent } from "./parentWatch";
import { onInterruptSignal } from "./signals";
import { Signer } from "./signature";
import { bindSockets, echo, receive } from "./sockets";

/** How long the main thread may take to run the user's exit handlers. */
const exitPatienceMs = 1000;

/** @param knock tells the main thread to look into its inbox */
async function start(settings: WireSettings, knock: () => void): Promise<void> {
  const { connection, session, inbox } = settings;
  const shared = new Int32Array(settings.shared);
  const signer = new Signer(connection.key, connection.hash);
  const history = new History(settings.historyFile);
  const sockets = await bindSockets(connection);
  const mailer = new Mailer(sockets, session, signer);
  const interrupter = new Interrupter(shared, knock);
  onInterruptSignal(() => interrupter.interrupt());

  // A knock is lost when the main thread is stopped in the middle of it; the message stays until the next one.
  const toMain = (message: ToMain) => {
    inbox.postMessage(message);
    knock();
  };
  const endProcess = async () => {
    await mailer.close();
    toMain({ kind: "shutdown" });
    setTimeout(() => process.kill(process.pid, "SIGKILL"), exitPatienceMs);
  };
  watchParent(() => void endProcess());

  const answers: Record<string, (content: JsonObject) => JsonObject> = {
    kernel_info_request: kernelInfo,
    history_request: (content) => history.answer(content),
    interrupt_request: () => {
      interrupter.interrupt();
      return { status: "ok" };
    },
    shutdown_request: ({ restart }) => ({ status: "ok", restart: restart === true }),
  };
  const take = (channel: Request["channel"]) => (frames: Buffer[]) => {
    const request = decode(channel, frames, signer);
    if (typeof request === "string") return log(`a message on ${channel} was ignored: ${request}`);
    const { headerJson: parent, identities, content } = request;
    const type = request.header.msg_type;
    const answer = answers[type];
    if (!answer) return toMain({ kind: "request", request });
    mailer.status(parent, "busy");
    const reply = JSON.stringify(answer(content));
    mailer.send(channel, { identities, type: type.replace("_request", "_reply"), parent, content: reply });
    mailer.status(parent, "idle");
    if (type === "shutdown_request") void endProcess();
  };

  inbox.on("message", async (message: ToWire) => {
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
      case "history":
        return history.add(message.entry);
      case "fence":
        do await new Promise(setImmediate);
        while (sockets.shell.readable);
        return toMain({ kind: "fence" });
      case "exit":
        await mailer.close();
        Atomics.store(shared, Slot.flushed, 1);
        Atomics.notify(shared, Slot.flushed);
    }
  });

  const welcome = (subscription: string) => {
    const content = JSON.stringify({ subscription });
    mailer.send("iopub", { identities: [subscription], type: "iopub_welcome", parent: "{}", content });
  };
  mailer.publish("status", "{}", { execution_state: "starting" });
  await Promise.all([
    receive(sockets.shell, take("shell")),
    receive(sockets.control, take("control")),
    receive(sockets.stdin, take("stdin")),
    receive(sockets.iopub, ([event]) => {
      const [subscribes] = event;
      if (subscribes) welcome(event.subarray(1).toString());
    }),
    echo(sockets.heartbeat),
  ]);
}

const knocker: MessagePort | null = parentPort;
if (knocker) void start(workerData as WireSettings, () => knocker.postMessage(null));
