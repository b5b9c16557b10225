// A panel for the tests: what the extension does over the comm, without the view.
import { randomUUID } from "node:crypto";
import type {
  ConversionName,
  ConversionSections,
  KernelMessage,
  PanelCommand,
  PanelMessage,
  PanelQuestion,
} from "../../kernel/src/report/conversionMessages";
import { parseKernelMessage } from "../../kernel/src/report/readKernelMessage";
import type { Json, Kernel, Message } from "./kernelClient";

/** What a panel needs of a kernel: one behind sockets, or the library in the test's own process. */
export type Notebook = Pick<Kernel, "published" | "until"> & {
  send(channel: "shell", type: string, content: Json): Promise<string>;
};

type Answer = Exclude<KernelMessage, { type: "conversions" | "snapshot" | "refused" }>;
export type Snapshot = Extract<KernelMessage, { type: "snapshot" }>;

export class PanelClient {
  conversions: ConversionName[] = [];
  /** The one that the notebook asked last to be shown. */
  asked: string | null = null;
  /** The newest sections of the conversion that it watches. */
  sections: Partial<ConversionSections> = {};
  readonly snapshots: { at: number; bytes: number; message: Snapshot }[] = [];
  readonly refused: string[] = [];
  /** Whatever the kernel said that the contract does not know. */
  readonly unreadable: string[] = [];
  closed = false;
  private watched: string | null = null;
  private readonly answers = new Map<number, Answer>();
  private requests = 0;
  private taken = 0;

  private constructor(
    private readonly kernel: Notebook,
    readonly id: string,
  ) {}

  static async open(kernel: Notebook): Promise<PanelClient> {
    const panel = new PanelClient(kernel, randomUUID());
    await kernel.send("shell", "comm_open", {
      comm_id: panel.id,
      target_name: "lutnn.conversion",
      data: {},
    });
    return panel;
  }

  /** Takes up a comm that the kernel has opened. */
  static adopt(kernel: Notebook, { content }: Message): PanelClient {
    const panel = new PanelClient(kernel, content.comm_id);
    panel.receive(content.data, 0);
    return panel;
  }

  /** Waits until something holds of what has come. */
  until(holds: () => boolean): Promise<void> {
    return this.kernel.until(() => {
      this.take();
      return holds();
    });
  }

  say(data: PanelMessage | unknown): Promise<string> {
    return this.kernel.send("shell", "comm_msg", { comm_id: this.id, data });
  }

  close(): Promise<string> {
    return this.kernel.send("shell", "comm_close", { comm_id: this.id, data: {} });
  }

  /** The id of the conversion that a variable holds. */
  async find(variable: string): Promise<string> {
    const known = () => this.conversions.find((one) => one.variable === variable);
    await this.until(() => known() !== undefined);
    return known()!.id;
  }

  /** Looks at another conversion; what is still on its way from the one before is not taken. */
  async watch(conversion: string): Promise<Snapshot> {
    const before = this.snapshots.length;
    this.watched = conversion;
    await this.say({ type: "watch", conversion });
    const found = () => this.snapshots.slice(before).find(({ message }) => message.whole);
    await this.until(() => found() !== undefined);
    return found()!.message;
  }

  /** Sends a command without waiting; @returns the request's number */
  async order(conversion: string, command: PanelCommand): Promise<number> {
    const request = ++this.requests;
    await this.say({ type: "command", request, conversion, command });
    return request;
  }

  async answerTo(request: number): Promise<Answer> {
    await this.until(() => this.answers.has(request));
    return this.answers.get(request)!;
  }

  /** The text of what was done. Throws the error of what was not. */
  async command(conversion: string, command: PanelCommand): Promise<string> {
    const answer = await this.answerTo(await this.order(conversion, command));
    if (answer.type === "done") return answer.text;
    throw new Error(answer.type === "failed" ? answer.error : `unexpected ${answer.type}`);
  }

  async ask(conversion: string, question: PanelQuestion): Promise<Answer> {
    const request = ++this.requests;
    await this.say({ type: "question", request, conversion, question });
    return this.answerTo(request);
  }

  private take(): void {
    for (; this.taken < this.kernel.published.length; this.taken++) {
      const { header, content } = this.kernel.published[this.taken];
      if (content.comm_id !== this.id) continue;
      if (header.msg_type === "comm_close") this.closed = true;
      else if (header.msg_type === "comm_msg")
        this.receive(content.data, Date.parse(header.date), JSON.stringify(content.data).length);
    }
  }

  private receive(data: unknown, at: number, bytes = 0): void {
    const message = parseKernelMessage(data);
    if (typeof message === "string") this.unreadable.push(message);
    else if (message.type === "conversions") {
      this.conversions = message.conversions;
      this.asked = message.asked;
    } else if (message.type === "refused") this.refused.push(message.error);
    else if (message.type === "snapshot") {
      if (message.conversion !== this.watched) return;
      this.snapshots.push({ at, bytes, message });
      const before = message.whole ? {} : this.sections;
      this.sections = { ...before, ...message.sections };
    } else this.answers.set(message.request, message);
  }
}
