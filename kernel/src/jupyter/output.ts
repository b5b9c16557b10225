import type { MessagePort } from "node:worker_threads";
import { type Context, currentContext } from "./context";
import { reserve, sizeOf } from "./flow";
import {
  type HistoryEntry,
  type OwnPipes,
  type ReplyAddress,
  type RunningCell,
  Slot,
  type ToWire,
} from "./link";
import type { KernelZone } from "./zone";

const none: RunningCell = { headerJson: "{}", identities: [], executionCount: 0, silent: false };

export interface PublishOptions {
  /** The request that caused it; by default that of the code which is running. */
  context?: Context;
  metadata?: object;
  buffers?: Uint8Array[];
}

/** How long the wire thread may take to publish what was written to the process's descriptors. */
const drainMs = 1000;

/** What the main thread sends: side effects on iopub, in order, and replies. */
export class Output {
  /** What the wire thread takes bare strings for. */
  private streaming: { context: Context; name: string } | null = null;
  /** The header of the cell that runs, or ran last. */
  private newest = "";

  constructor(
    private readonly port: MessagePort,
    private readonly zone: KernelZone,
    private readonly shared: Int32Array,
  ) {}

  /** Brackets the handling of a request. */
  status(state: "busy" | "idle", context: Context): void {
    this.zone.run(() => this.post({ kind: "status", state, parent: context.headerJson }));
  }

  /** Publishes on iopub; nothing for a silent request but its comms. */
  publish(type: string, content: object, options: PublishOptions = {}): void {
    const context = options.context ?? currentContext();
    if (context.silent && !type.startsWith("comm_")) return;
    // User data may have toJSON methods: they run before the kernel's zone is entered.
    const message: ToWire = {
      kind: "publish",
      type,
      parent: context.headerJson,
      content: JSON.stringify(content),
      metadata: options.metadata && JSON.stringify(options.metadata),
      buffers: options.buffers,
    };
    reserve(this.shared, sizeOf(message));
    this.zone.run(() => this.post(message));
  }

  /** Text for stdout or stderr. It leaves at once, since the code that printed it may never let go of this thread. */
  stream(name: "stdout" | "stderr", text: string): void {
    const context = currentContext();
    if (context.silent || text === "") return;
    reserve(this.shared, sizeOf(text));
    this.zone.run(() => {
      if (this.streaming?.context !== context || this.streaming.name !== name) {
        this.streaming = { context, name };
        this.post({ kind: "stream", name, parent: context.headerJson });
      }
      this.post(text);
    });
  }

  reply(to: ReplyAddress, type: string, content: object): void {
    const { channel, identities, headerJson } = to;
    const json = JSON.stringify(content);
    this.zone.run(() =>
      this.post({ kind: "reply", to: { channel, identities, headerJson }, type, content: json }),
    );
  }

  /** @param blocking the answer is waited for by {@link Input.askNow} */
  askForInput(context: Context, content: { prompt: string; password: boolean }, blocking: boolean): void {
    const { identities, headerJson } = context;
    const to: ReplyAddress = { channel: "stdin", identities, headerJson };
    this.zone.run(() => this.post({ kind: "input", to, content: JSON.stringify(content), blocking }));
  }

  /** The cell that runs from now on; null for none. */
  cell(cell: RunningCell | null): void {
    const { headerJson, identities, executionCount, silent } = cell ?? none;
    if (cell) this.newest = headerJson;
    this.post({ kind: "cell", cell: cell && { headerJson, identities, executionCount, silent } });
  }

  /** True where what native code writes is taken for that of the code which is running. */
  isNewest(): boolean {
    return currentContext().headerJson === this.newest;
  }

  /** A child process has been started that runs in the background. */
  child(pid: number): void {
    this.zone.run(() => this.post({ kind: "child", pid }));
  }

  /** What comes out of these pipes belongs to their request. */
  pipes(pipes: OwnPipes): void {
    this.zone.run(() => this.post({ kind: "pipes", pipes }));
  }

  /** What child processes or native code have written so far comes before what is sent from now on. */
  putForeignFirst(context: Context = currentContext()): void {
    this.zone.run(() => this.post({ kind: "drain", parent: context.headerJson }));
  }

  /** Waits until what child processes or native code have written so far has been published. */
  drain(): void {
    const parent = currentContext().headerJson;
    this.zone.run(() => {
      const before = Atomics.load(this.shared, Slot.drained);
      this.post({ kind: "drain", parent });
      Atomics.wait(this.shared, Slot.drained, before, drainMs);
    });
  }

  history(entry: HistoryEntry): void {
    this.post({ kind: "history", entry });
  }

  /** Asks the wire thread to hand over what has arrived; it answers with a fence. */
  fence(): void {
    this.post({ kind: "fence" });
  }

  /** Sends what is left and closes the sockets, when the process is about to end. */
  end(): void {
    this.post({ kind: "exit" });
  }

  private post(message: ToWire): void {
    this.port.postMessage(message);
    Atomics.add(this.shared, Slot.posted, 1);
  }
}
