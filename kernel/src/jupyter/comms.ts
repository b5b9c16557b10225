import { randomUUID } from "node:crypto";
import { LutnnError } from "../errors";
import type { Comm, CommHandler, CommMessage, CommSendOptions, Comms } from "../host/comm";
import type { JsonObject, Request } from "./link";
import type { Output } from "./output";

/** The kernel's side of all comms. */
export class CommManager implements Comms {
  private readonly handlers = new Map<string, CommHandler>();
  private readonly comms = new Map<string, OpenComm>();

  constructor(private readonly output: Output) {}

  open(target: string, data: unknown = {}, options: CommSendOptions = {}): Comm {
    const comm = this.add(randomUUID(), target);
    this.output.publish("comm_open", { comm_id: comm.id, target_name: target, data }, options);
    return comm;
  }

  register(target: string, handler: CommHandler): void {
    this.handlers.set(target, handler);
  }

  /** Content of a comm_info_reply. */
  info({ target_name }: JsonObject): object {
    const open = [...this.comms.values()].filter(({ target }) => !target_name || target === target_name);
    return {
      status: "ok",
      comms: Object.fromEntries(open.map(({ id, target }) => [id, { target_name: target }])),
    };
  }

  /** False for a message about a comm or target that is not there (a running cell may still make it). */
  knows({ header, content }: Request): boolean {
    return header.msg_type === "comm_open"
      ? this.handlers.has(nameIn(content.target_name))
      : this.comms.has(nameIn(content.comm_id));
  }

  /** Acts on comm_open, comm_msg and comm_close. Runs the user's handlers, which may throw. */
  take({ header, content, metadata, buffers }: Request): void {
    const id = nameIn(content.comm_id);
    const message: CommMessage = { data: content.data, metadata, buffers };
    const comm = this.comms.get(id);
    if (header.msg_type === "comm_open") this.accept(id, nameIn(content.target_name), message);
    else if (header.msg_type === "comm_msg") comm?.onMessage?.(message);
    else {
      this.comms.delete(id);
      comm?.onClose?.(message);
    }
  }

  private accept(id: string, target: string, message: CommMessage): void {
    const handler = this.handlers.get(target);
    const comm = this.add(id, target);
    try {
      if (handler) handler(comm, message);
      else comm.close();
    } catch (error) {
      comm.close();
      throw error;
    }
  }

  private add(id: string, target: string): OpenComm {
    const isOpen = () => this.comms.get(id) === comm;
    const comm: OpenComm = new OpenComm(id, target, this.output, isOpen, () => this.comms.delete(id));
    this.comms.set(id, comm);
    return comm;
  }
}

/** Of what is no text the name that nothing has: it may be too deep to be written. */
const nameIn = (value: unknown): string => (typeof value === "string" ? value : "");

class OpenComm implements Comm {
  onMessage: Comm["onMessage"] = null;
  onClose: Comm["onClose"] = null;

  constructor(
    readonly id: string,
    readonly target: string,
    private readonly output: Output,
    private readonly isOpen: () => boolean,
    private readonly forget: () => void,
  ) {}

  send(data: unknown, options: CommSendOptions = {}): void {
    if (!this.isOpen())
      throw new LutnnError(
        `comm.send: the comm must be open (this one, "${this.target}", is closed); open another`,
      );
    this.output.publish("comm_msg", { comm_id: this.id, data }, options);
  }

  close(data: unknown = {}): void {
    if (!this.isOpen()) return;
    this.forget();
    this.output.publish("comm_close", { comm_id: this.id, data });
  }
}
