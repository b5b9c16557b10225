// Parts of the notebook kernel by themselves; the kernel as a client sees it is tested in test/protocol.
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { CommManager } from "../../../kernel/lib/jupyter/comms";
import { toCodePoints, toUtf16 } from "../../../kernel/lib/jupyter/compile/codePoints";
import { columnBefore, Edits } from "../../../kernel/lib/jupyter/compile/edits";
import { readConnection } from "../../../kernel/lib/jupyter/connection";
import { release, reserve, sizeOf } from "../../../kernel/lib/jupyter/flow";
import { type Request, Slot } from "../../../kernel/lib/jupyter/link";
import type { Output } from "../../../kernel/lib/jupyter/output";
import { noValue, Scope } from "../../../kernel/lib/jupyter/scope";
import { describeError } from "../../../kernel/lib/jupyter/traceback";
import { decode, encode } from "../../../kernel/lib/jupyter/wire/codec";
import { History } from "../../../kernel/lib/jupyter/wire/history";
import { Signer } from "../../../kernel/lib/jupyter/wire/signature";
import { StreamText } from "../../../kernel/lib/jupyter/wire/streamText";

const folder = mkdtempSync(join(tmpdir(), "lutnn-jupyter-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("edits of a text", () => {
  const source = "let a = 1;\nlet b = a + 2;\nb;";
  const edits = new Edits();
  edits.replace(source, source.indexOf("a + 2"), source.indexOf(";\nb"), "$a.a + 20");
  edits.insert(0, "1");
  edits.insert(0, "2");
  edits.replace(source, 4, 9, "x");
  edits.insert(source.length - 1, "!");
  const { text, shifts } = edits.apply(source);

  it("come out in the order of their places, of one place in that of the calls", () => {
    expect(text).toBe("12let x;\nlet b = $a.a + 20;\nb!;");
  });

  it("say where every column stood before", () => {
    const placeBefore = (line: number, column: number) => columnBefore(shifts, line, column);
    expect([0, 1, 2, 5, 6, 7].map((column) => placeBefore(0, column))).toEqual([0, 0, 0, 3, 4, 9]);
    expect([0, 7, 8, 12, 17, 18].map((column) => placeBefore(1, column))).toEqual([0, 7, 8, 8, 13, 14]);
    expect([0, 1, 2].map((column) => placeBefore(2, column))).toEqual([0, 1, 1]);
  });

  it("keep later lines where they are", () => {
    const lines = new Edits();
    lines.replace("a(\n1,\n2);\nb", 0, 9, "x;");
    const made = lines.apply("a(\n1,\n2);\nb");
    expect(made.text).toBe("x;\n\n\nb");
    expect(columnBefore(made.shifts, 3, 0)).toBe(0);
  });
});

describe("a cursor", () => {
  it("is counted in code points by Jupyter, in UTF-16 units here", () => {
    const text = "a😀b𝑥c";
    expect([0, 1, 2, 3, 4, 5, 9].map((at) => toUtf16(text, at))).toEqual([0, 1, 3, 4, 6, 7, 7]);
    expect([0, 1, 3, 4, 6, 7].map((at) => toCodePoints(text, at))).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe("the notebook's variables", () => {
  it("are errors before they have a value, but those that are blank", () => {
    const scope = new Scope();
    expect(() => scope.box("early").early).toThrow("Cannot access 'early' before initialization");
    expect([scope.peek("early"), scope.peek("nowhere")]).toEqual([noValue, noValue]);
    scope.initialize("early");
    expect([scope.box("early").early, scope.peek("early")]).toEqual([undefined, undefined]);
    scope.box("early").early = 3;
    expect([scope.box("early").early, scope.peek("early")]).toEqual([3, 3]);
    scope.blank("early");
    expect(scope.peek("early")).toBe(undefined);
  });

  it("are found by what they hold, whole or in a plain object, without calling anybody's code", () => {
    const scope = new Scope();
    const [value, inner] = [{ a: 1 }, new Map()];
    scope.box("first").first = value;
    scope.box("second").second = value;
    scope.box("holder").holder = {
      "not a name": inner,
      get trap() {
        throw new Error("called");
      },
      part: inner,
    };
    scope.box("proxy").proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("called");
        },
      },
    );
    expect(scope.nameOf(value)).toBe("first");
    expect(scope.nameOf(inner)).toBe("holder.part");
    expect(scope.nameOf({})).toBe(null);
    scope.box("own").own = new (class {
      part = folder;
      hidden = scope;
    })();
    expect(scope.nameOf(scope)).toBe(null);
  });

  it("are bound to what modules export: of the notebook's own files to what they export by then", () => {
    const scope = new Scope();
    const own = { __esModule: true, default: 1, count: 1 };
    scope.bind(
      own,
      [
        ["count", "count"],
        ["whole", "*"],
        ["main", "default"],
      ],
      true,
    );
    own.count = 2;
    expect([scope.box("count").count, scope.box("whole").whole, scope.box("main").main]).toEqual([2, own, 1]);
    scope.box("count").count = 7; // the name is declared anew
    expect([scope.box("count").count, own.count]).toEqual([7, 2]);
    const plain = { size: 3 };
    scope.bind(
      plain,
      [
        ["size", "size"],
        ["all", "*"],
        ["same", "*"],
        ["it", "default"],
      ],
      false,
    );
    plain.size = 4;
    expect([scope.box("size").size, scope.box("it").it]).toEqual([3, plain]);
    const all = scope.box("all").all as Record<string, unknown>;
    expect([Object.keys(all), all.size, all.default]).toEqual([["size", "default"], 4, plain]);
    expect(scope.box("same").same).toBe(all);
    scope.bind(
      5,
      [
        ["five", "*"],
        ["itself", "default"],
      ],
      false,
    );
    expect([scope.box("five").five, scope.box("itself").itself]).toEqual([{ default: 5 }, 5]);
  });
});

describe("messages on the wire", () => {
  const header = JSON.stringify({ msg_id: "1", msg_type: "execute_request", session: "s" });
  const frames = (parts: string[], signer = new Signer("key", "sha256"), buffers: Buffer[] = []) => [
    Buffer.from("client"),
    Buffer.from("<IDS|MSG>"),
    Buffer.from(signer.sign(parts)),
    ...parts.map((part) => Buffer.from(part)),
    ...buffers,
  ];
  const signer = () => new Signer("key", "sha256");

  it("are read with what leads back and what lies beside them, and written so that a client reads them", () => {
    const read = decode(
      "shell",
      frames([header, "{}", '{"a":1}', '{"code":"x"}'], signer(), [Buffer.of(7)]),
      signer(),
    );
    expect(read).toMatchObject({
      channel: "shell",
      headerJson: header,
      metadata: { a: 1 },
      content: { code: "x" },
    });
    expect((read as Request).identities.map(String)).toEqual(["client"]);
    expect((read as Request).buffers).toEqual([Buffer.of(7)]);
    const sent = encode(
      { identities: ["topic"], type: "status", parent: header, content: "{}", buffers: [Uint8Array.of(1)] },
      "mine",
      signer(),
    );
    const back = decode(
      "shell",
      sent.map((frame) => Buffer.from(frame)),
      signer(),
    ) as Request;
    expect(back.header).toMatchObject({
      msg_type: "status",
      session: "mine",
      username: "kernel",
      version: "5.5",
    });
    expect([back.metadata, back.buffers.map((one) => [...one])]).toEqual([{}, [[1]]]);
  });

  it("are refused for what is wrong with them", () => {
    const whole = [header, "{}", "{}", "{}"];
    const taken = (some: Buffer[], own = signer()) => decode("shell", some, own);
    const said = (some: Buffer[], own = signer()) => {
      const one = taken(some, own);
      return "rule" in one ? one.rule : one;
    };
    expect(said([Buffer.from("x")])).toBe("the frame <IDS|MSG> is missing");
    expect(said(frames(whole).slice(0, 2))).toBe("0 of 4 frames came after the signature");
    expect(said(frames(whole.slice(0, 3)))).toBe("3 of 4 frames came after the signature");
    expect(said(frames(whole, new Signer("other", "sha256")))).toBe("wrong signature");
    expect(said(frames(whole, new Signer("", "sha256")))).toBe("wrong signature");
    expect(said(frames([header, "{}", "[]", "{}"]))).toBe("a frame is not a JSON object");
    expect(said(frames([header, "{}", "{}", "{"]))).toBe("a frame is not a JSON object");
    // Who asked is known where the header can be read and the signature is right, and nowhere else.
    const asker = (some: Buffer[], own = signer()) => {
      const one = taken(some, own);
      return "rule" in one ? (one.asker?.header.msg_type ?? null) : undefined;
    };
    const { msg_type: type } = JSON.parse(header) as { msg_type: string };
    expect(asker(frames([header, "{}", "[]", "{}"]))).toBe(type);
    expect(asker(frames([header, "{}", "{}", "{"]))).toBe(type);
    expect(asker(frames(["[]", "{}", "{}", "{}"]))).toBe(null);
    expect(asker(frames([header, "{}", "[]", "{}"], new Signer("other", "sha256")))).toBe(null);
    for (const lack of ["msg_id", "msg_type", "session"]) {
      const some = JSON.stringify({ ...JSON.parse(header), [lack]: 1 });
      expect(said(frames([some, "{}", "{}", "{}"]))).toBe("the header lacks msg_id, msg_type or session");
    }
    const own = signer();
    expect(said(frames(whole), own)).toBeTypeOf("object");
    expect(said(frames(whole), own)).toBe("replayed signature");
    const open = new Signer("", "sha256");
    for (let i = 0; i < 2; i++) expect(said(frames(whole), open)).toBeTypeOf("object");
  });
});

describe("what is printed", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  const collect = () => {
    const pieces: [string, string, string][] = [];
    return { pieces, text: new StreamText((parent, { name, text }) => pieces.push([parent, name, text])) };
  };

  it("is joined for 20 ms, or up to 65,536 characters", () => {
    const { pieces, text } = collect();
    text.begin("stdout", "a");
    text.add("1");
    vi.advanceTimersByTime(19);
    text.add("2");
    expect(pieces).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(pieces).toEqual([["a", "stdout", "12"]]);
    text.add("x".repeat(65_535));
    expect(pieces).toHaveLength(1);
    text.add("y");
    expect(pieces).toHaveLength(2);
    vi.advanceTimersByTime(100);
    text.flush();
    expect(pieces).toHaveLength(2);
  });

  it("stays in order with what is put in between, which belongs to another stream or request", () => {
    const { pieces, text } = collect();
    text.begin("stdout", "a");
    text.add("1");
    text.insert("stdout", "a", "2");
    text.insert("stderr", "a", "3");
    text.insert("stdout", "b", "4");
    text.add("5");
    text.flush();
    expect(pieces).toEqual([
      ["a", "stdout", "12"],
      ["a", "stderr", "3"],
      ["b", "stdout", "4"],
      ["a", "stdout", "5"],
    ]);
  });

  it("counts for what it takes on its way, and waits where too much is", () => {
    expect(sizeOf("abc")).toBe(515);
    const message = { kind: "publish", type: "x", parent: "{}", content: "12345" } as const;
    expect(sizeOf(message)).toBe(517);
    expect(sizeOf({ ...message, buffers: [new Uint8Array(3), new Uint8Array(4)] })).toBe(524);
    expect(sizeOf({ kind: "exit" })).toBe(0);
    const shared = new Int32Array(new SharedArrayBuffer(64));
    reserve(shared, 1 << 25);
    reserve(shared, 5); // as much as there may be is there, not more
    expect(Atomics.load(shared, Slot.inFlight)).toBe((1 << 25) + 5);
    release(shared, 1 << 25);
    reserve(shared, 2);
    expect(Atomics.load(shared, Slot.inFlight)).toBe(7);
  });
});

describe("the input history", () => {
  const path = join(folder, "below/history");
  const before = new History(path);
  before.add({ line: 1, source: "old", output: null });
  const history = new History(path);
  for (const [line, source] of ["let a = 1", "a*2", "[x]", "a*2", "multi\nline"].entries()) {
    history.add({ line: line + 1, source, output: null });
    if (source === "a*2") history.add({ line: line + 1, source, output: `${line}` });
  }
  const asked = (request: object) =>
    (history.answer({ ...request }).history as unknown[][]).map((one) => one.slice(1));
  const sources = (request: object) => asked(request).map(([, source]) => source);

  it("gives the newest, with results where they are asked for", () => {
    expect(asked({ hist_access_type: "tail", n: 2 })).toEqual([
      [4, "a*2"],
      [5, "multi\nline"],
    ]);
    expect(asked({ hist_access_type: "tail", n: 2, output: true })).toEqual([
      [4, ["a*2", "3"]],
      [5, ["multi\nline", null]],
    ]);
    expect(sources({ hist_access_type: "tail" })).toHaveLength(6);
    expect(sources({ hist_access_type: "tail", n: -1 })).toEqual([]);
    expect(sources({ hist_access_type: "none" })).toEqual([]);
  });

  it("is searched by patterns as a shell has them", () => {
    const found = (pattern: string, more = {}) => sources({ hist_access_type: "search", pattern, ...more });
    expect(found("a*2")).toEqual(["a*2", "a*2"]);
    expect(found("a*2", { unique: true })).toEqual(["a*2"]);
    expect(found("a[*]2", { n: 1 })).toEqual(["a*2"]);
    expect(found("?x]")).toEqual(["[x]"]);
    expect(found("[[]x[]]")).toEqual(["[x]"]);
    expect(found("[!a-m]*")).toEqual(["old", "[x]"]);
    expect(found("[^a-m]*")).toEqual(["old", "[x]"]);
    expect(found("multi*")).toEqual(["multi\nline"]);
    expect(found("l")).toEqual([]);
    expect(found("[z-a]")).toEqual([]);
  });

  it("has ranges of this session and of earlier ones", () => {
    const range = (more: object) => sources({ hist_access_type: "range", ...more });
    expect(range({ session: 0, start: 2, stop: 4 })).toEqual(["a*2", "[x]"]);
    expect(range({ session: 0, start: 5 })).toEqual(["multi\nline"]);
    expect(range({ session: -1 })).toEqual(["old"]);
    expect(range({ session: 1 })).toEqual(["old"]);
    expect(range({ session: 2, stop: 2 })).toEqual(["let a = 1"]);
  });

  it("is kept for its owner alone, and survives a line that was cut off", () => {
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const cut = join(folder, "cut");
    writeFileSync(cut, `${readFileSync(path, "utf8")}{"session": 2, "li`);
    const later = new History(cut);
    later.add({ line: 1, source: "after", output: "x".repeat(9_000) });
    const again = new History(cut).answer({ hist_access_type: "tail", n: 2, output: true }).history as [];
    expect(again).toEqual([
      [2, 5, ["multi\nline", null]],
      [3, 1, ["after", "x".repeat(8_192)]],
    ]);
  });
});

describe("a connection file", () => {
  const path = join(folder, "kernel.json");
  const ports = { shell_port: 1, control_port: 2, iopub_port: 3, stdin_port: 4, hb_port: 65_535 };
  const read = (content: unknown) => {
    writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
    chmodSync(path, 0o600);
    return readConnection(path);
  };

  it("has presets for all but the ports", () => {
    expect(read(ports)).toEqual({
      ...{ transport: "tcp", ip: "127.0.0.1", key: "", hash: "sha256" },
      ...{ shellPort: 1, controlPort: 2, iopubPort: 3, stdinPort: 4, heartbeatPort: 65_535 },
    });
    expect(read({ ...ports, transport: "ipc", signature_scheme: "hmac-md5", key: "k" })).toMatchObject({
      ...{ transport: "ipc", hash: "md5", key: "k" },
    });
  });

  it.each<[unknown, string]>([
    [{ ...ports, hb_port: 65_536 }, "hb_port must be a port number (got 65536 "],
    [{ ...ports, hb_port: 0 }, "hb_port must be a port number (got 0 "],
    [{ ...ports, shell_port: 1.5 }, "shell_port must be a port number (got 1.5 "],
    [{ ...ports, shell_port: "1" }, 'shell_port must be a port number (got "1" '],
    [{ ...ports, transport: "udp" }, 'transport must be "tcp" or "ipc" (got "udp" '],
    [
      { ...ports, signature_scheme: "md5" },
      'signature_scheme must be "hmac-" and the name of a hash (got "md5" ',
    ],
    [{ ...ports, key: 5 }, "key must be a string (got a value of type number "],
    ["[1]", "it must hold a JSON object"],
    ["null", "it must hold a JSON object"],
    ["{", "it must hold a JSON object"],
  ])("is refused: %j", (content, said) => {
    expect(() => read(content)).toThrow(said);
  });
});

describe("comms", () => {
  const published: [string, object][] = [];
  const comms = new CommManager({
    publish: (type: string, content: object) => published.push([type, content]),
  } as unknown as Output);
  const message = (msg_type: string, content: object): Request => ({
    ...{ channel: "shell", identities: [], header: { msg_id: "1", msg_type, session: "" }, headerJson: "{}" },
    ...{ metadata: {}, content: { ...content }, buffers: [] },
  });

  it("are opened by either side, known while they are open, and closed once", () => {
    const seen: unknown[] = [];
    const own = comms.open("mine", { a: 1 });
    expect(published.at(-1)).toEqual(["comm_open", { comm_id: own.id, target_name: "mine", data: { a: 1 } }]);
    const open = message("comm_open", { comm_id: "c", target_name: "theirs", data: 2 });
    expect(comms.knows(open)).toBe(false);
    comms.register("theirs", (comm, { data }) => {
      seen.push(data);
      comm.onMessage = (one) => seen.push(one.data);
      comm.onClose = () => seen.push("closed");
    });
    expect(comms.knows(open)).toBe(true);
    comms.take(open);
    comms.take(message("comm_msg", { comm_id: "c", data: 3 }));
    expect(comms.info({})).toEqual({
      status: "ok",
      comms: { [own.id]: { target_name: "mine" }, c: { target_name: "theirs" } },
    });
    expect(comms.info({ target_name: "mine" })).toEqual({
      status: "ok",
      comms: { [own.id]: { target_name: "mine" } },
    });
    expect(comms.knows(message("comm_msg", { comm_id: "c" }))).toBe(true);
    comms.take(message("comm_close", { comm_id: "c" }));
    expect(comms.knows(message("comm_msg", { comm_id: "c" }))).toBe(false);
    comms.take(message("comm_msg", { comm_id: "c", data: 4 }));
    expect(seen).toEqual([2, 3, "closed"]);
    own.close();
    const { length } = published;
    own.close();
    expect(published).toHaveLength(length);
    expect(() => own.send(1)).toThrow('the comm must be open (this one, "mine", is closed)');
  });

  it("are closed where nobody takes them, or who does throws", () => {
    comms.take(message("comm_open", { comm_id: "d", target_name: "nobody's" }));
    expect(published.at(-1)).toEqual(["comm_close", { comm_id: "d", data: {} }]);
    comms.register("thrower", () => {
      throw new Error("no");
    });
    expect(() => comms.take(message("comm_open", { comm_id: "e", target_name: "thrower" }))).toThrow("no");
    expect(published.at(-1)).toEqual(["comm_close", { comm_id: "e", data: {} }]);
    expect(comms.knows(message("comm_msg", { comm_id: "e" }))).toBe(false);
  });
});

describe("what a failed cell shows", () => {
  const plain = (error: unknown) =>
    describeError(error, "cell 1", "").traceback.map(stripVTControlCharacters);

  it("is the error with its causes, each once, and those that it stands for", () => {
    const first = new TypeError("inner");
    const error = new Error("outer", { cause: first });
    first.cause = error; // round and round
    expect(plain(error).filter((line) => !line.startsWith("    at "))).toEqual([
      "Error: outer",
      "",
      "Caused by TypeError: inner",
    ]);
    const many = new AggregateError(
      Array.from({ length: 22 }, (_, i) => (i === 0 ? 7 : new Error(`e${i}`))),
      "all",
    );
    const lines = plain(many).filter((line) => line.startsWith("One of them") || line.startsWith("…"));
    expect([lines[0], lines[1], lines.length, lines.at(-1)]).toEqual([
      ...["One of them: 7", "One of them: e1", 21, "… and 2 more"],
    ]);
  });

  it("has at most ten causes", () => {
    let error = new Error("0");
    for (let i = 1; i < 15; i++) error = new Error(String(i), { cause: error });
    expect(plain(error).filter((line) => line.startsWith("Caused by"))).toHaveLength(10);
  });

  it("calls variables as the user does, and leaves out what Node.js adds to a message", () => {
    const error = new Error("(0 , $step.step) is not a function, $$x$x, $a.b\nRequire stack:\n- /x");
    expect(describeError(error, "cell 1", "").evalue).toBe("step is not a function, x, $a.b");
  });

  it("is whatever was thrown, also what nobody can read", () => {
    expect(plain(5)).toEqual(["Thrown: 5"]);
    const trap = new Proxy(
      {},
      {
        get: () => {
          throw new Error("no");
        },
        getPrototypeOf: () => {
          throw new Error("no");
        },
      },
    );
    expect(describeError(trap, "cell 1", "").ename).toBe("Thrown");
    const odd = new Error("x");
    Object.defineProperty(odd, "message", {
      get: () => {
        throw new Error("no");
      },
    });
    expect(describeError(odd, "cell 1", "").evalue).toBe("(its message cannot be read)");
    expect(describeError(new Error("x".repeat(200_000)), "cell 1", "").evalue.length).toBeLessThan(100_200);
  });
});
