import { spawn } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, expect, test, vi } from "vitest";
import { find, Kernel } from "./kernelClient";

let kernel: Kernel;
afterEach(() => kernel?.stop());

test("the kernel says what it is and which protocol it keeps to", async () => {
  kernel = await Kernel.start();
  const { header, content } = await kernel.request("shell", "kernel_info_request");
  expect(header.version).toBe("5.5");
  expect(content).toMatchObject({
    status: "ok",
    protocol_version: "5.5",
    implementation: "lutnn",
    debugger: false,
    supported_features: [],
    language_info: {
      name: "typescript",
      version: "5.0.4",
      file_extension: ".ts",
      pygments_lexer: "typescript",
      nbconvert_exporter: "script",
    },
  });
  expect(content.help_links.length).toBeGreaterThan(0);
});

test("messages that are unsigned, wrongly signed or sent again are ignored", async () => {
  kernel = await Kernel.start();
  const { id, frames } = kernel.frames("kernel_info_request", {});
  const reply = kernel.replyTo(id);
  await kernel.shell.send(frames);
  await reply;
  await kernel.shell.send(frames);
  const unsigned = kernel.frames("kernel_info_request", {}).frames;
  await kernel.shell.send([unsigned[0], "", ...unsigned.slice(2)]);
  const forged = kernel.frames("kernel_info_request", {}).frames;
  await kernel.shell.send([...forged.slice(0, 5), '{"forged":true}']);
  const last = await kernel.request("shell", "kernel_info_request");
  // Its status and what stderr says come by other ways than the reply.
  await kernel.until(
    () =>
      kernel.stderr.includes("replayed signature") &&
      kernel.of(last.parent.msg_id).some(({ content }) => content.execution_state === "idle"),
  );
  const requests = new Set(kernel.published.map(({ parent }) => parent.msg_id).filter(Boolean));
  expect(requests.size).toBe(2);
  expect(kernel.stderr).toContain("replayed signature");
  expect(kernel.stderr.match(/wrong signature/g)).toHaveLength(2);
});

test("a kernel without a key takes unsigned messages", async () => {
  kernel = await Kernel.start({ key: "" });
  expect(await kernel.evaluate("1 + 1")).toBe("2");
});

test.each([
  ["while it is idle", "1"],
  ["while a cell awaits", 'console.log("on"); await new Promise(() => {})'],
  ["while a cell loops", 'console.log("on"); for (;;) {}'],
])("shutdown ends the process %s", async (_, code) => {
  kernel = await Kernel.start();
  const cell = await kernel.startCell(code);
  if (code === "1") await cell.done();
  else await cell.printed("on");
  const reply = await kernel.request("control", "shutdown_request", { restart: true });
  expect(reply.content).toEqual({ status: "ok", restart: true });
  expect([0, "SIGKILL"]).toContain(await kernel.exited);
});

test("a cell that ends the process is answered with an error first", async () => {
  kernel = await Kernel.start();
  const { reply, published } = await kernel.execute('console.log("last words"); process.exit(3)');
  expect(reply.content).toMatchObject({
    status: "error",
    evalue: "the cell ended the kernel's process (exit code 3)",
  });
  expect(find(published, "stream")?.content.text).toBe("last words\n");
  expect(await kernel.exited).toBe(3);
});

/** A process that starts the kernel and waits. */
const parent = `
  const { spawn } = require("node:child_process");
  spawn(process.execPath, process.argv.slice(1), { stdio: ["ignore", 1, 2] });
  setInterval(() => {}, 1000);
`;
test.each(["await new Promise(() => {})", "for (;;) {}"])(
  "the kernel ends when its parent does, in %s",
  async (code) => {
    kernel = await Kernel.start({ nodeArguments: ["-e", parent] });
    const cell = await kernel.startCell(`console.log("pid " + process.pid + "."); ${code}`);
    await cell.printed(".");
    const printed = find(kernel.of(cell.id), "stream")?.content.text;
    const pid = Number(/pid (\d+)\./.exec(printed)?.[1]);
    expect(isAlive(pid)).toBe(true);
    kernel.process.kill("SIGKILL");
    await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 60_000, interval: 50 });
  },
);

/** A grandchild that watches its parent from the moment when that has ended already. */
const late = `
  const { spawn } = require("node:child_process");
  const [watch, wanted] = process.argv.slice(1);
  const code = \`
    const { watchParent } = require(process.argv[1]);
    const first = Number(process.env.JPY_PARENT_PID);
    const wait = setInterval(() => {
      if (process.ppid === first) return;
      clearInterval(wait);
      const wanted = process.argv[2] === "true";
      watchParent({ gone() { console.log("gone"); process.exit(); }, isWanted: () => wanted, everyMs: 10, graceMs: 50 });
      if (wanted) setTimeout(() => { console.log("still here"); process.exit(); }, 500);
    }, 10);
  \`;
  const env = { ...process.env, JPY_PARENT_PID: String(process.pid) };
  spawn(process.execPath, ["-e", code, watch, wanted], { stdio: ["ignore", 1, 2], env, detached: true }).unref();
`;
test.each([
  ["ends where no client turns up", "false", "gone\n"],
  ["stays where one does", "true", "still here\n"],
])("a kernel whose parent ended before it could look %s", async (_, wanted, expected) => {
  const watch = fileURLToPath(new URL("../../kernel/lib/jupyter/wire/parentWatch.js", import.meta.url));
  const child = spawn(process.execPath, ["-e", late, watch, wanted], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  for await (const chunk of child.stdout) text += chunk;
  expect(text).toBe(expected);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test("a connection file that lacks a port is refused in one sentence", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "lutnn-")), "kernel.json");
  writeFileSync(file, '{"shell_port": "x"}');
  const main = fileURLToPath(new URL("../../kernel/lib/jupyter/main.js", import.meta.url));
  const child = spawn(process.execPath, [main, "kernel", file], { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr.on("data", (chunk) => {
    text += chunk;
  });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  expect(code).toBe(1);
  expect(text).toContain('connection file: shell_port must be a port number (got "x"');
});
