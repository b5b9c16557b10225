import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { mutatedJson } from "../kernel/files/mutate";
import { find, type Json, Kernel } from "./kernelClient";

/** Rightly signed messages with wrong contents; npm run check:messages sends more of them. */
const count = Number(process.env.LUTNN_MESSAGES ?? 600);
const seed = Number(process.env.LUTNN_MESSAGES_SEED ?? 1) * 1_000_000;
/** After so many the kernel must still answer; a client takes no more at once. */
const atOnce = 200;

const key = "5e4f0c7d-never-to-be-seen-c0ffee";
let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.start({ key });
  await kernel.evaluate("const untouched = 7; untouched");
});
afterAll(() => kernel.stop());

/** What is mutated: one of each kind that a front end sends, none of which runs code when it is whole. */
const requests: [channel: "shell" | "control" | "stdin", type: string, content: Json][] = [
  [
    "shell",
    "execute_request",
    { code: "", silent: true, store_history: false, user_expressions: { a: "1" } },
  ],
  ["shell", "complete_request", { code: "untou", cursor_pos: 5 }],
  ["shell", "inspect_request", { code: "untouched", cursor_pos: 3, detail_level: 0 }],
  ["shell", "is_complete_request", { code: "{" }],
  ["shell", "history_request", { output: true, raw: true, hist_access_type: "tail", n: 5, unique: false }],
  ["shell", "comm_info_request", { target_name: "lutnn.conversion" }],
  [
    "shell",
    "comm_open",
    { comm_id: "a", target_name: "lutnn.conversion", data: { version: 1, command: "hello" } },
  ],
  ["shell", "comm_msg", { comm_id: "a", data: { command: "replace", layers: ["c1"], options: { seed: 1 } } }],
  ["shell", "comm_close", { comm_id: "a", data: {} }],
  ["shell", "kernel_info_request", {}],
  ["control", "debug_request", { seq: 1, type: "request", command: "initialize", arguments: {} }],
  ["stdin", "input_reply", { value: "text", status: "ok" }],
];
/** Its own may come twice: as a message is to be, and changed. */
const headers: Json[] = [
  { msg_id: "" },
  { msg_type: 5 },
  { session: null },
  { version: [] },
  { username: { deep: {} } },
  { date: "never" },
];

/** A cell that failed takes those behind it along, as the protocol has it. */
async function stillAnswers() {
  const ask = () => kernel.execute("untouched");
  let { reply, published } = await ask();
  for (let turn = 0; turn < 5 && reply.content.status === "aborted"; turn++)
    ({ reply, published } = await ask());
  expect(reply.content.status).toBe("ok");
  expect(find(published, "execute_result")?.content.data["text/plain"]).toBe("7");
}

test("the key is nowhere in what the kernel says", async () => {
  const wrong = kernel.frames("kernel_info_request", {}).frames;
  await kernel.shell.send([wrong[0], "0".repeat(64), ...wrong.slice(2)]);
  const { published } = await kernel.execute(
    "console.error(Object.values(process.env).join()); throw new Error('x')",
  );
  expect(JSON.stringify(published)).not.toContain(key);
  await kernel.until(() => kernel.stderr.includes("wrong signature"));
  expect(kernel.stderr).not.toContain(key);
});

test(
  `${count} rightly signed messages with contents of any kind leave the kernel alive, and run nothing`,
  async () => {
    for (let i = 0; i < count; i++) {
      const [channel, type, content] = requests[i % requests.length];
      const text = mutatedJson(content, seed + i) || "null";
      const changed = i % 5 === 0 ? headers[(i / 5) % headers.length] : {};
      const made = kernel.frames(type, text, { header: changed });
      await kernel[channel].send(made.frames);
      if (i % atOnce === atOnce - 1) {
        await stillAnswers();
        kernel.forget();
      }
    }
    await stillAnswers();
    expect(kernel.stderr).not.toContain(key);
    expect(await kernel.heartbeat()).toBe("ping");
  },
  120_000 + count * 20,
);

test("a request that cannot be read or handed on is answered with an error, and the next one is served", async () => {
  const deep = (open: string, close: string) => `${open.repeat(200_000)}0${close.repeat(200_000)}`;
  const unreadable: [type: string, content: string, said: RegExp][] = [
    ["execute_request", "[1]", /a frame is not a JSON object/],
    ["complete_request", '{"code": ', /a frame is not a JSON object/],
    ["execute_request", `{"code": "1", "user_expressions": ${deep('{"a":', "}")}}`, /nested too deeply/],
    ["inspect_request", `{"code": ${deep("[", "]")}, "cursor_pos": 0}`, /nested too deeply/],
    ["an_unknown_request", `{"code": ${deep("[", "]")}}`, /nested too deeply/],
  ];
  for (const [type, content, said] of unreadable) {
    const { frames, id } = kernel.frames(type, content);
    const answered = kernel.replyTo(id);
    await kernel.shell.send(frames);
    const reply = await answered;
    expect([type, reply.content]).toEqual([
      type,
      expect.objectContaining({ status: "error", evalue: expect.stringMatching(said) }),
    ]);
    await stillAnswers();
  }
  // Nobody waits for an answer to what is no request.
  const { frames, id } = kernel.frames("comm_msg", `{"comm_id": "a", "data": ${deep("[", "]")}}`);
  const answered = kernel.replyTo(id).then(
    () => "answered",
    () => "not answered",
  );
  await kernel.shell.send(frames);
  expect(await Promise.race([answered, stillAnswers().then(() => "served the next")])).toBe(
    "served the next",
  );
});

test.runIf(process.platform === "linux")(
  "it listens at the address that it is told, and at no other",
  async () => {
    const listening = ["tcp", "tcp6"].flatMap((name) =>
      readFileSync(`/proc/net/${name}`, "latin1")
        .split("\n")
        .slice(1)
        .map((line) => line.trim().split(/\s+/))
        .filter(([, , , state]) => state === "0A")
        .map(([, local]) => local.split(":")),
    );
    for (const port of Object.values(kernel.ports)) {
      const addresses = listening.filter(([, hex]) => Number.parseInt(hex, 16) === port).map(([ip]) => ip);
      expect(addresses).toEqual(["0100007F"]);
    }
    // Nor does it open one that nobody asked for.
    const descriptors = `/proc/${kernel.process.pid}/fd`;
    const own = readdirSync(descriptors).flatMap((name) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(join(descriptors, name)))?.[1] ?? [];
      } catch {
        return []; // closed meanwhile
      }
    });
    const open = readFileSync("/proc/net/tcp", "latin1")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[3] === "0A" && own.includes(fields[9]))
      .map(([, local]) => Number.parseInt(local.split(":")[1], 16));
    expect(open.sort()).toEqual(Object.values(kernel.ports).sort());
  },
);
