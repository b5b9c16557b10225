// A comm is a two-way channel between code in a cell and a view in the browser, beside the notebook's outputs.

export interface CommMessage {
  data: unknown;
  metadata: Record<string, unknown>;
  /** Binary data beside the JSON, uncopied. */
  buffers: Uint8Array[];
}

export interface CommSendOptions {
  metadata?: Record<string, unknown>;
  /** Sent as they are at the time of the call. */
  buffers?: Uint8Array[];
}

export interface Comm {
  readonly id: string;
  readonly target: string;
  /** Called with each message of the other side, also while a cell runs. */
  onMessage: ((message: CommMessage) => void) | null;
  /** Called once when the other side closes. */
  onClose: ((message: CommMessage) => void) | null;
  /** `data` is JSON. Throws LutnnError after close. */
  send(data: unknown, options?: CommSendOptions): void;
  /** Tells the other side; closing again does nothing. */
  close(data?: unknown): void;
}

/** Called when a view opens a comm; an exception refuses it. */
export type CommHandler = (comm: Comm, opening: CommMessage) => void;

export interface Comms {
  /** Opens a comm from the kernel's side: every connected view with this target gets it. */
  open(target: string, data?: unknown, options?: CommSendOptions): Comm;
  /** Views may open comms with this target from now on; registering again replaces the handler. */
  register(target: string, handler: CommHandler): void;
}
