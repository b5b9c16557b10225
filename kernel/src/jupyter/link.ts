// The contract between the kernel's two threads. The *wire* thread owns the sockets and is never busy for long; the
// *main* thread runs the cells and may be stuck in one. Heartbeat, control channel, interrupts and the check of every
// message therefore live on the wire thread.
import type { MessagePort } from "node:worker_threads";
import type { Mark } from "./children";
import type { Connection } from "./connection";
import type { Descriptors } from "./descriptors";

/** Newest protocol version whose features are all here (5.6 adds a start-up handshake, which is not). */
export const protocolVersion = "5.5";

export type JsonObject = Record<string, unknown>;

export interface Header {
  msg_id: string;
  msg_type: string;
  session: string;
  [field: string]: unknown;
}

/** A verified message of a client. */
export interface Request {
  channel: "shell" | "control" | "stdin";
  /** Routing prefix: replies go back with it. */
  identities: Uint8Array[];
  header: Header;
  /** The header as it came, for the parent_header of everything that this request causes. */
  headerJson: string;
  metadata: JsonObject;
  content: JsonObject;
  buffers: Uint8Array[];
}

/** What a reply needs to know of its request. */
export type ReplyAddress = Pick<Request, "channel" | "identities" | "headerJson">;

/** One line of the input history. */
export interface HistoryEntry {
  line: number;
  source: string;
  /** text/plain of the cell's result. */
  output: string | null;
}

/** What the wire thread knows of a cell while it runs. */
export interface RunningCell {
  headerJson: string;
  identities: Uint8Array[];
  executionCount: number;
  silent: boolean;
}

/** Pipes in the place of descriptors 1 and 2 for what one request's code starts. */
export interface OwnPipes {
  /** The request's header. */
  parent: string;
  silent: boolean;
  /** Descriptors of their ends for reading, which never waits. */
  stdout: number;
  stderr: number;
  /** Their files, to be removed with them. */
  paths: readonly [stdout: string, stderr: string];
}

/** Main to wire. `content` and `metadata` are JSON. A string continues the stream that was announced last. */
export type ToWire =
  | string
  | { kind: "stream"; name: "stdout" | "stderr"; parent: string }
  | { kind: "status"; state: "busy" | "idle"; parent: string }
  | {
      kind: "publish";
      type: string;
      parent: string;
      content: string;
      metadata?: string;
      buffers?: Uint8Array[];
    }
  | { kind: "reply"; to: ReplyAddress; type: string; content: string; metadata?: string }
  | { kind: "input"; to: ReplyAddress; content: string; blocking: boolean }
  | { kind: "history"; entry: HistoryEntry }
  /** This cell runs from now on, or none does. */
  | { kind: "cell"; cell: RunningCell | null }
  /** This child process runs in the background. */
  | { kind: "child"; pid: number }
  /** What child processes of this request and native code have written so far comes first; see {@link Slot.drained}. */
  | { kind: "drain"; parent: string }
  /** What comes out of these pipes belongs to their request. */
  | { kind: "pipes"; pipes: OwnPipes }
  | { kind: "fence" }
  | { kind: "exit" };

/** Wire to main. */
export type ToMain =
  | { kind: "request"; request: Request }
  /** Everything that had arrived when the fence was asked for has been handed over. */
  | { kind: "fence" }
  /** The answer to a question that is not blocking. */
  | { kind: "input"; value: string }
  | { kind: "shutdown" };

/** What the wire thread is started with. */
export interface WireSettings {
  connection: Connection;
  session: string;
  shared: SharedArrayBuffer;
  inbox: MessagePort;
  /** Leads to the compile thread. */
  compiler: MessagePort;
  /** Takes the answers to blocking questions. */
  answers: MessagePort;
  /** Null where the process's descriptors could not be redirected. */
  descriptors: Descriptors | null;
  /** What the kernel's children are known by. */
  mark: Mark;
  /** File that keeps the input history, or "" for none. */
  historyFile: string;
}

/** Int32 cells of the memory that both threads see. */
export const Slot = {
  /** Which code the main thread is in: one of {@link Zone}. */
  zone: 0,
  /** Interrupts asked for so far. */
  requested: 1,
  /** Interrupts that the main thread has seen. */
  acknowledged: 2,
  /** How often the wire thread has stopped a main thread that did not answer. */
  terminations: 3,
  /** 1 once what was sent before an exit is on its way to the clients. */
  flushed: 4,
  /** Blocking questions that have been answered. */
  answers: 5,
  /** Size of the output that has not left yet (see flow.ts). */
  inFlight: 6,
  /** 1 once the wire thread has ordered the main thread's code to be stopped (see unwinding.ts). */
  ordered: 7,
  /** 1 while the main thread waits for a child process. */
  child: 8,
  /** How often what had been written past console was published because main asked for it. */
  drained: 9,
  /** Messages that the main thread has sent; wraps around. */
  posted: 10,
} as const;
export const slots = 11;

export const Zone = {
  /** The user's code, or nothing: may be stopped at any instruction. */
  user: 0,
  /** The kernel's own code: must not be stopped half-way. */
  kernel: 1,
  /** The wire thread is stopping the user's code. */
  terminating: 2,
} as const;
