import { connect } from "node:net";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { Dealer } from "zeromq";
import { delimiter, type Json, Kernel } from "./kernelClient";

/** The issue asks for 1 s; the machine may have a busy moment, so the best of some cells counts. */
const soonMs = 1000;
const attempts = 5;
/** Messages that are none; npm run check:messages sends more of them, and takes its time. */
const malformed = Number(process.env.LUTNN_MESSAGES ?? 10_000);
vi.setConfig({ testTimeout: 150_000 + malformed * 5 });

let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.start();
  await kernel.evaluate("1 + 1");
});
afterAll(() => kernel.stop());

async function stillAnswers() {
  let best = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < attempts && best >= soonMs; attempt++) {
    const start = Date.now();
    expect(await kernel.evaluate("6 * 7")).toBe("42");
    best = Math.min(best, Date.now() - start);
  }
  expect(best).toBeLessThan(soonMs);
  expect(await kernel.heartbeat()).toBe("ping");
}

/** The same numbers every time (a linear congruential generator). */
function random(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (state * 1664525 + 1013904223) % 2 ** 32;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test(`${malformed} malformed, unsigned and truncated messages leave the kernel alive and quick`, async () => {
  const pick = random(1);
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => pick(256)));
  const good = () => kernel.frames("execute_request", { code: "globalThis.broken = true" }).frames;
  const bad: (() => (Buffer | string)[])[] = [
    () => [bytes(1 + pick(200))],
    () => [delimiter],
    () => [delimiter, bytes(64)],
    () => [delimiter, "", "{}", "{}", "{}", "{}"],
    () => [good()[0] as Buffer, "0".repeat(64), ...(good().slice(2) as string[])],
    () => good().slice(0, 2 + pick(4)) as (Buffer | string)[],
    () => good().with(2 + pick(4), bytes(pick(100))) as Buffer[],
    () => good().with(1, String(good()[1]).toUpperCase()) as Buffer[],
    () => Array.from({ length: 1 + pick(12) }, () => bytes(pick(20))),
    () => [bytes(20), bytes(20), ...good().with(2, bytes(30))] as Buffer[],
  ];
  const [shell, control, stdin] = ["shell", "control", "stdin"].map((channel) => {
    const socket = new Dealer({ linger: 0 });
    socket.connect(`tcp://127.0.0.1:${kernel.ports[channel as "shell"]}`);
    return socket;
  });
  for (let index = 0; index < malformed; index++)
    await [shell, control, stdin][pick(3)].send(bad[index % bad.length]());
  for (const socket of [shell, control, stdin]) socket.close();
  await stillAnswers();
  expect(await kernel.evaluate('"broken" in globalThis')).toBe("false");
  // The log names the first of them and does not become a flood itself.
  expect(kernel.stderr).toContain("wrong signature");
  expect(kernel.stderr.split("\n").length).toBeLessThan(100);
});

test("signed messages with contents of the wrong type are answered or ignored, not obeyed", async () => {
  const wrong: [string, Json][] = [
    ["execute_request", { code: 5, user_expressions: 3, silent: "yes", store_history: [] }],
    ["execute_request", {}],
    ["complete_request", { code: null, cursor_pos: "end" }],
    ["complete_request", { code: "x", cursor_pos: -5 }],
    ["complete_request", { code: "x", cursor_pos: 1e9 }],
    ["inspect_request", { cursor_pos: {} }],
    ["is_complete_request", {}],
    ["history_request", { hist_access_type: "nonsense", n: -1 }],
    ["history_request", { hist_access_type: "search", pattern: "[z-a]*(((", n: 1.5 }],
    ["history_request", { hist_access_type: "range", session: "x", start: null, stop: {} }],
    ["comm_info_request", { target_name: 7 }],
  ];
  for (const [type, content] of wrong) {
    const { content: reply } = await kernel.request("shell", type, content);
    expect(["ok", "error", "aborted", "incomplete", "complete", "invalid", "unknown"]).toContain(
      reply.status,
    );
  }
  await kernel.send("shell", "comm_msg", { comm_id: 3 });
  await kernel.send("shell", "comm_open", {});
  await kernel.send("shell", "no_such_request", {});
  await kernel.send("control", "execute_reply", { code: "1" });
  await kernel.send("stdin", "input_reply", {});
  await stillAnswers();
});

test("a cell that is no text, and expressions that are no object, are refused in a sentence and run nothing", async () => {
  const contents = [
    ['{"code":["globalThis.broken = 1"]}', "code must be a string (got array)"],
    ['{"code":{"toString":1}}', "code must be a string (got object)"],
    ['{"user_expressions":{}}', "code must be a string (got undefined)"],
    [`{"code":"globalThis.broken = 1","user_expressions":"${"x".repeat(10_000)}"}`, "(got string)"],
    ['{"code":"globalThis.broken = 1","user_expressions":[]}', "must be an object (got array)"],
  ];
  for (const [content, said] of contents) {
    const { id, frames } = kernel.frames("execute_request", content);
    const reply = kernel.replyTo(id);
    await kernel.shell.send(frames);
    expect((await reply).content).toMatchObject({ status: "error", evalue: expect.stringContaining(said) });
  }
  for (const [field, type] of [
    ["comm_id", "comm_msg"],
    ["target_name", "comm_open"],
  ])
    await kernel.shell.send(kernel.frames(type, { [field]: { toString: 1 } }).frames);
  await stillAnswers();
  expect(await kernel.evaluate('"broken" in globalThis')).toBe("false");
  expect(kernel.published.filter(({ content }) => content.name === "stderr")).toEqual([]);
});

test("bytes that are not even ZeroMQ's leave the kernel alive", async () => {
  const pick = random(2);
  for (const port of Object.values(kernel.ports))
    for (let attempt = 0; attempt < 20; attempt++)
      await new Promise<void>((resolve) => {
        const socket = connect(port, "127.0.0.1", () => {
          socket.write(Buffer.from(Array.from({ length: 1 + pick(3000) }, () => pick(256))));
          setTimeout(() => socket.destroy(), 10);
        });
        socket.on("error", () => resolve());
        socket.on("close", () => resolve());
      });
  await stillAnswers();
});

test("a frame that announces more than the kernel takes closes its connection only", async () => {
  // ZMTP 3.0: greeting with the NULL mechanism, a READY command, then a frame of 2^40 bytes.
  const greeting = Buffer.alloc(64);
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]).copy(greeting);
  greeting.write("NULL", 12);
  const property = (name: string, value: string) =>
    Buffer.concat([
      Buffer.from([name.length]),
      Buffer.from(name),
      Buffer.from([0, 0, 0, value.length]),
      Buffer.from(value),
    ]);
  const ready = Buffer.concat([
    Buffer.from([5]),
    Buffer.from("READY"),
    property("Socket-Type", "DEALER"),
    property("Identity", ""),
  ]);
  const huge = Buffer.from([0x02, 0, 0, 1, 0, 0, 0, 0, 0]);
  await new Promise<void>((resolve) => {
    const socket = connect(kernel.ports.shell, "127.0.0.1", () => {
      socket.write(Buffer.concat([greeting, Buffer.from([0x04, ready.length]), ready, huge]));
      socket.write(Buffer.alloc(100_000));
    });
    socket.on("error", () => resolve());
    socket.on("close", () => resolve());
    socket.resume();
  });
  await stillAnswers();
});

test("a very large cell and a very large output pass", async () => {
  const { stdout } = await kernel.execute(
    `/* ${"x".repeat(5_000_000)} */ console.log("y".repeat(5_000_000));`,
  );
  expect(stdout.length).toBe(5_000_001);
});
