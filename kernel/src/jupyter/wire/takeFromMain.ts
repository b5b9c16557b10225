import { release, sizeOf } from "../flow";
import { collectorOfGarbage } from "../garbage";
import { type RunningCell, Slot, type ToMain, type ToWire } from "../link";
import type { ForeignOutput } from "./foreignOutput";
import type { History } from "./history";
import type { Mailer } from "./mailer";
import type { Questions } from "./questions";
import type { Requests } from "./requests";
import type { Watcher } from "./watcher";

/** What the wire thread knows of the cells. */
export interface Cells {
  /** The one that runs, or ran last. */
  newest: RunningCell | null;
  isRunning: boolean;
}

export interface FromMainOptions {
  shared: Int32Array;
  mailer: Mailer;
  history: History;
  questions: Questions;
  watcher: Watcher;
  foreign: ForeignOutput | null;
  /** Child processes in the background. */
  background: Set<number>;
  requests: Requests;
  cells: Cells;
  toMain(message: ToMain): void;
  endChildProcesses(): Promise<void>;
}

/** @returns what does as the main thread's messages say, one after the other */
export function takerFromMain(options: FromMainOptions): (message: ToWire) => Promise<void> {
  const { shared, mailer, history, questions, watcher, foreign, background, requests, cells } = options;
  const collectGarbage = collectorOfGarbage();

  const take = async (message: ToWire): Promise<void> => {
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
        cells.isRunning = message.cell !== null;
        cells.newest = message.cell ?? cells.newest;
        return watcher.cell(message.cell);
      case "child":
        background.add(message.pid);
        return;
      case "pipes":
        foreign?.add(message.pipes);
        return;
      case "drain":
        foreign?.drain(message.parent);
        Atomics.add(shared, Slot.drained, 1);
        Atomics.notify(shared, Slot.drained);
        return;
      case "history":
        history.add(message.entry);
        return collectGarbage();
      case "fence": {
        // Two turns of the event loop without a message: the first may be under way already.
        for (let before = -1; before !== requests.taken; ) {
          before = requests.taken;
          await new Promise(setImmediate);
          await new Promise(setImmediate);
        }
        return options.toMain({ kind: "fence" });
      }
      case "exit":
        foreign?.drain();
        await Promise.all([mailer.close(), options.endChildProcesses()]);
        Atomics.store(shared, Slot.flushed, 1);
        Atomics.notify(shared, Slot.flushed);
    }
  };

  return async (message) => {
    await take(message);
    const size = sizeOf(message);
    if (size === 0) return;
    await mailer.room();
    release(shared, size);
  };
}
