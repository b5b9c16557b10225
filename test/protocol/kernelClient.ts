// A Jupyter client for the tests, written from the protocol's description and not from the kernel's code.
import { type ChildProcess, spawn } from "node:child_process";
import { createHmac, randomUUID } from "node:crypto";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { vi } from "vitest";
import { Dealer, Request, Subscriber } from "zeromq";

// A kernel loads a compiler, on a machine that may be busy with other tests.
vi.setConfig({ testTimeout: 150_000, hookTimeout: 150_000 });

// biome-ignore lint/suspicious/noExplicitAny: what is in a message is what the tests find out
export type Json = Record<string, any>;

export interface Message {
  header: Json;
  parent: Json;
  metadata: Json;
  content: Json;
  buffers: Buffer[];
}

export interface Execution {
  reply: Message;
  /** What was published for the request, from busy to idle. */
  published: Message[];
  /** Text of all stdout, or of stderr. */
  stdout: string;
  stderr: string;
}

const entry = fileURLToPath(new URL("../../kernel/lib/jupyter/main.js", import.meta.url));
export const delimiter = Buffer.from("<IDS|MSG>");

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** What a process that has ended may have left on its way. */
const lastWordsMs = 3000;

export interface KernelOptions {
  /** The notebook's folder; by default an empty one far from the checkout. */
  folder?: string;
  env?: Record<string, string>;
  /** Another Node.js than this one; LUTNN_TEST_NODE sets it for all tests. */
  node?: string;
  nodeArguments?: string[];
  key?: string;
}

export class Kernel {
  readonly session = randomUUID();
  /** All that came on iopub so far. */
  readonly published: Message[] = [];
  readonly inputRequests: Message[] = [];
  readonly exited: Promise<number | string | null>;
  stderr = "";
  private end: { how: number | string | null; at: number } | null = null;
  private readonly replies = new Map<string, (message: Message) => void>();
  private readonly byParent = new Map<string, Message[]>();
  private readonly finished = new Set<string>();
  private listeners: (() => void)[] = [];

  private constructor(
    readonly process: ChildProcess,
    readonly folder: string,
    readonly key: string,
    readonly ports: Record<"shell" | "iopub" | "stdin" | "control" | "hb", number>,
    readonly shell: Dealer,
    readonly control: Dealer,
    readonly stdin: Dealer,
    readonly iopub: Subscriber,
  ) {
    this.exited = new Promise((resolve) => process.once("exit", (code, signal) => resolve(code ?? signal)));
    void this.exited.then((how) => {
      this.end = { how, at: Date.now() };
    });
    process.stderr?.on("data", (chunk) => {
      this.stderr += chunk;
    });
    void this.listen(shell, (message) => this.replies.get(message.parent.msg_id)?.(message));
    void this.listen(control, (message) => this.replies.get(message.parent.msg_id)?.(message));
    void this.listen(stdin, (message) => this.inputRequests.push(message));
    void this.listen(iopub, (message) => {
      this.published.push(message);
      this.of(message.parent.msg_id).push(message);
      if (message.content.execution_state === "idle") this.finished.add(message.parent.msg_id);
    });
  }

  static async start(options: KernelOptions = {}): Promise<Kernel> {
    const folder = options.folder ?? mkdtempSync(join(tmpdir(), "lutnn-notebook-"));
    const [shell, iopub, stdin, control, hb] = await freePorts(5);
    const key = options.key ?? randomUUID();
    const file = join(mkdtempSync(join(tmpdir(), "lutnn-connection-")), "kernel.json");
    writeFileSync(
      file,
      JSON.stringify({
        transport: "tcp",
        ip: "127.0.0.1",
        shell_port: shell,
        iopub_port: iopub,
        stdin_port: stdin,
        control_port: control,
        hb_port: hb,
        key,
        signature_scheme: "hmac-sha256",
      }),
      { mode: 0o600 },
    );
    const args = [...(options.nodeArguments ?? []), entry, "kernel", file];
    const child = spawn(options.node ?? process.env.LUTNN_TEST_NODE ?? process.execPath, args, {
      cwd: folder,
      env: { ...process.env, LUTNN_HISTORY: join(folder, ".history"), ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const routingId = randomUUID();
    const connect = <S extends Dealer | Subscriber>(socket: S, port: number) => {
      socket.connect(`tcp://127.0.0.1:${port}`);
      return socket;
    };
    const subscriber = new Subscriber();
    subscriber.subscribe();
    const kernel = new Kernel(
      child,
      folder,
      key,
      { shell, iopub, stdin, control, hb },
      connect(new Dealer({ routingId }), shell),
      connect(new Dealer({ routingId }), control),
      connect(new Dealer({ routingId }), stdin),
      connect(subscriber, iopub),
    );
    // The welcome says that the subscription is in force: nothing is missed from here on.
    await kernel.until(() => kernel.published.some(({ header }) => header.msg_type === "iopub_welcome"));
    return kernel;
  }

  /** Waits until a condition on what has been received holds; of a process that has ended nothing more is expected. */
  async until(holds: () => boolean, timeoutMs = 60_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!holds()) {
      if (Date.now() > Math.min(deadline, (this.end?.at ?? deadline) + lastWordsMs))
        throw new Error(`${this.state}; waited in vain: ${holds}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 50);
        this.listeners.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** @param content a text is sent as it is, whatever it says */
  frames(
    type: string,
    content: Json | string,
    extra: { header?: Json; metadata?: Json; buffers?: Uint8Array[] } = {},
  ) {
    const header = {
      msg_id: randomUUID(),
      msg_type: type,
      session: this.session,
      username: "test",
      date: new Date().toISOString(),
      version: "5.5",
      ...extra.header,
    };
    const parts = [
      ...[header, {}, extra.metadata ?? {}].map((part) => JSON.stringify(part)),
      typeof content === "string" ? content : JSON.stringify(content),
    ];
    const hmac = createHmac("sha256", this.key);
    for (const part of parts) hmac.update(part);
    const signature = this.key === "" ? "" : hmac.digest("hex");
    return { id: header.msg_id, frames: [delimiter, signature, ...parts, ...(extra.buffers ?? [])] };
  }

  /** Sends without waiting; @returns the message's id. */
  async send(
    channel: "shell" | "control" | "stdin",
    type: string,
    content: Json,
    extra?: Parameters<Kernel["frames"]>[2],
  ) {
    const { id, frames } = this.frames(type, content, extra);
    await this[channel].send(frames);
    return id;
  }

  /** Sends a request and waits for its reply. */
  async request(
    channel: "shell" | "control",
    type: string,
    content: Json = {},
    extra?: Json,
  ): Promise<Message> {
    const { id, frames } = this.frames(type, content, extra);
    const reply = this.replyTo(id);
    await this[channel].send(frames);
    return reply;
  }

  async replyTo(id: string): Promise<Message> {
    let reply: Message | undefined;
    this.replies.set(id, (message) => {
      reply = message;
    });
    await this.until(() => reply !== undefined);
    this.replies.delete(id);
    return reply as Message;
  }

  private get state(): string {
    return this.end ? `the kernel has ended with ${this.end.how}` : "the kernel is running";
  }

  /** What was published for a request. */
  of(id: string): Message[] {
    const known = this.byParent.get(id) ?? [];
    this.byParent.set(id, known);
    return known;
  }

  /** Forgets what has been received, in tests that receive a lot. */
  forget(): void {
    this.published.length = 0;
    this.byParent.clear();
    this.finished.clear();
    this.replies.clear();
  }

  /** Sends a cell; the returned functions wait for parts of its answer. */
  async startCell(code: string, options: Json = {}) {
    const content = {
      code,
      silent: false,
      store_history: true,
      user_expressions: {},
      allow_stdin: false,
      stop_on_error: true,
      ...options,
    };
    const { id, frames } = this.frames("execute_request", content);
    const reply = this.replyTo(id);
    // A test may stop the kernel before the reply.
    reply.catch(() => {});
    await this.shell.send(frames);
    const idle = () => this.finished.has(id);
    const text = (name: string) =>
      this.of(id)
        .filter(({ header, content }) => header.msg_type === "stream" && content.name === name)
        .map(({ content }) => content.text)
        .join("");
    return {
      id,
      reply,
      /** Waits until this text has been printed. */
      printed: (part: string) => this.until(() => text("stdout").includes(part)),
      done: async (): Promise<Execution> => {
        const message = await reply;
        await this.until(idle);
        return { reply: message, published: this.of(id), stdout: text("stdout"), stderr: text("stderr") };
      },
    };
  }

  async execute(code: string, options: Json = {}): Promise<Execution> {
    return (await this.startCell(code, options)).done();
  }

  /** Runs cells one after the other; @returns the last one's result */
  async evaluateAll(...cells: string[]): Promise<string> {
    let result = "";
    for (const cell of cells) result = await this.evaluate(cell);
    return result;
  }

  /** text/plain of a cell's result; throws the cell's error. */
  async evaluate(code: string): Promise<string> {
    const { reply, published } = await this.execute(code);
    if (reply.content.status !== "ok") throw new Error(`${reply.content.ename}: ${reply.content.evalue}`);
    const result = published.find(({ header }) => header.msg_type === "execute_result");
    return result?.content.data["text/plain"] ?? "";
  }

  async heartbeat(): Promise<string> {
    const socket = new Request({ linger: 0, receiveTimeout: 5000 });
    socket.connect(`tcp://127.0.0.1:${this.ports.hb}`);
    await socket.send("ping");
    const [answer] = await socket.receive();
    socket.close();
    return answer.toString();
  }

  async stop(): Promise<void> {
    for (const socket of [this.shell, this.control, this.stdin, this.iopub]) socket.close();
    this.process.kill("SIGKILL");
    await this.exited;
  }

  private async listen(socket: Dealer | Subscriber, take: (message: Message) => void): Promise<void> {
    for await (const frames of socket) {
      const start = (frames as Buffer[]).findIndex((frame) => frame.equals(delimiter));
      const [header, parent, metadata, content] = (frames as Buffer[])
        .slice(start + 2, start + 6)
        .map((frame) => JSON.parse(frame.toString()));
      take({ header, parent, metadata, content, buffers: (frames as Buffer[]).slice(start + 6) });
      for (const wake of this.listeners.splice(0)) wake();
    }
  }
}

/** The first message of a type. */
export const find = (messages: Message[], type: string): Message | undefined =>
  messages.find(({ header }) => header.msg_type === type);

export const typesOf = (messages: Message[]): string[] => messages.map(({ header }) => header.msg_type);
