// A notebook in the test's own process: the kernel's comms, and a host that knows the variables which the test names.
import { randomUUID } from "node:crypto";
import type { NotebookHost } from "lutnn";
import { installHost } from "../../../kernel/lib/host/host";
import { CommManager } from "../../../kernel/lib/jupyter/comms";
import type { Output } from "../../../kernel/lib/jupyter/output";
import type { Json, Message } from "../../protocol/kernelClient";
import type { Notebook } from "../../protocol/panelClient";

export class NotebookHere implements Notebook {
  readonly published: Message[] = [];
  readonly variables = new Map<object, string>();
  /** A value that cannot be asked for its name. */
  unaskable: object | null = null;
  /** What was drawn below a cell. */
  drawn = 0;
  private readonly comms: CommManager;

  constructor() {
    const publish = (type: string, content: Json) => this.add(type, JSON.parse(JSON.stringify(content)));
    this.comms = new CommManager({ publish } as Output);
    const host: NotebookHost = {
      display: () => {
        this.drawn++;
      },
      clearOutput: () => {},
      input: async () => "",
      comms: this.comms,
      nameOf: (value) => {
        if (value === this.unaskable) throw new TypeError("it is revoked");
        return this.variables.get(value) ?? null;
      },
      signal: new AbortController().signal,
    };
    installHost(host);
  }

  private add(type: string, content: Json): void {
    const header = { msg_type: type, date: new Date().toISOString() };
    this.published.push({ header, parent: {}, metadata: {}, content, buffers: [] });
  }

  /** A message of the page: it is taken in a turn of its own. */
  async send(channel: "shell", type: string, content: Json): Promise<string> {
    const id = randomUUID();
    await new Promise(setImmediate);
    const header = { msg_id: id, msg_type: type, session: "" };
    const data = JSON.parse(JSON.stringify(content));
    this.comms.take({
      ...{ channel, identities: [], header, headerJson: "{}", metadata: {}, content: data, buffers: [] },
    });
    return id;
  }

  async until(holds: () => boolean): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!holds()) {
      if (Date.now() > deadline) throw new Error(`waited in vain: ${holds}`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  }
}
