// How a kernel ends, what it leaves behind, and what the notebook hears of it.
import { spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, describe, expect, test, vi } from "vitest";
import { find, freePorts, Kernel } from "./kernelClient";

let kernel: Kernel | undefined;
afterEach(async () => {
  await kernel?.stop();
  kernel = undefined;
});

/** How long the watcher may take to see that the kernel has gone. */
const soon = { timeout: 20_000, interval: 50 };

/** Processes whose command line has this text in it. */
const running = (text: string): number[] =>
  readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, "latin1").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);

/** Starts children in all the ways that lose their parent; each sleeps for a number of seconds that nobody else uses. */
async function startChildren(): Promise<string> {
  const seconds = `${9_000_000 + Math.floor(Math.random() * 1_000_000)}`;
  kernel = await Kernel.start();
  await kernel.evaluate(
    `import { spawn } from "child_process";
     spawn("sleep", ["${seconds}"]);
     spawn("sleep", ["${seconds}"], { detached: true, stdio: "ignore" }).unref();
     spawn("sh", ["-c", "(setsid sleep ${seconds} &) ; exit"], { stdio: "ignore" });
     spawn("sh", ["-c", "trap '' TERM INT HUP; sleep ${seconds}; sleep ${seconds}"], { stdio: "ignore" });
     1`,
  );
  await vi.waitFor(() => expect(running(seconds).length).toBeGreaterThanOrEqual(5), soon);
  return seconds;
}

describe.skipIf(process.platform !== "linux")("no child of a cell is left", () => {
  test.each([
    [
      "a shutdown",
      async () => void (await kernel?.request("control", "shutdown_request", { restart: false })),
    ],
    ["a restart", async () => void (await kernel?.request("control", "shutdown_request", { restart: true }))],
    ["process.exit()", async () => void (await kernel?.execute("process.exit(0)"))],
    ["SIGTERM", async () => void kernel?.process.kill("SIGTERM")],
    ["SIGKILL", async () => void kernel?.process.kill("SIGKILL")],
  ])("after %s", async (_, end) => {
    const seconds = await startChildren();
    await end();
    await kernel?.exited;
    await vi.waitFor(() => expect(running(seconds)).toEqual([]), soon);
  });
});

test.skipIf(process.platform !== "linux")("a child that was started to outlive the kernel does", async () => {
  kernel = await Kernel.start();
  const options = '{ detached: true, stdio: "ignore", env: { ...process.env, LUTNN_KERNEL_ID: "" } }';
  const pid = Number(
    await kernel.evaluate(`require("child_process").spawn("sleep", ["60"], ${options}).pid`),
  );
  await kernel.request("control", "shutdown_request", { restart: false });
  await kernel.exited;
  expect(running("sleep\u000060")).toContain(pid);
  process.kill(pid);
});

describe.skipIf(process.platform === "win32")("a process that dies answers its cell", () => {
  test.each([
    [
      "of too much memory",
      "const all: unknown[] = []; for (;;) all.push(new Array(10_000).fill(all.length));",
      /^the kernel's process ended while the cell ran: the cell needed more memory than Node.js may have \(\d+ MB/,
    ],
    ["by process.abort()", "process.abort()", /^the kernel's process ended while the cell ran: /],
    [
      "by SIGKILL",
      'process.kill(process.pid, "SIGKILL"); for (;;);',
      /^the kernel's process ended while the cell ran: /,
    ],
  ])("%s", async (_, code, expected) => {
    kernel = await Kernel.start({ nodeArguments: ["--max-old-space-size=100"] });
    await kernel.evaluate("1");
    const { reply, published, stderr } = await kernel.execute(code);
    expect(reply.content).toMatchObject({ status: "error", ename: "KernelDied" });
    expect(reply.content.evalue).toMatch(expected);
    expect(find(published, "error")?.content.evalue).toBe(reply.content.evalue);
    expect(stderr).not.toContain("GCs");
  });
});

const main = fileURLToPath(new URL("../../kernel/lib/jupyter/main.js", import.meta.url));

/** Starts a kernel that cannot start; `spoil` changes the text of its connection file. */
async function refused(change: object, mode = 0o600, spoil = (text: string) => text) {
  const [shell_port, iopub_port, stdin_port, control_port, hb_port] = await freePorts(5);
  const file = join(mkdtempSync(join(tmpdir(), "lutnn-")), "kernel.json");
  const ports = { shell_port, iopub_port, stdin_port, control_port, hb_port };
  writeFileSync(file, spoil(JSON.stringify({ ip: "127.0.0.1", key: "k", ...ports, ...change })));
  chmodSync(file, mode);
  const child = spawn(process.execPath, [main, "kernel", file], { stdio: ["ignore", "ignore", "pipe"] });
  let text = "";
  child.stderr.on("data", (chunk) => {
    text += chunk;
  });
  const code = await new Promise((resolve) =>
    child.once("close", (status, signal) => resolve(status ?? signal)),
  );
  return { code, text };
}

describe("a kernel that cannot listen ends with one sentence and exit code 1", () => {
  test.each(["shell_port", "iopub_port", "hb_port"])("where %s is taken", async (name) => {
    const server: Server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    const { code, text } = await refused({ [name]: port });
    server.close();
    expect(code).toBe(1);
    expect(text).toMatch(/^lutnn kernel: kernel: every address .*another process listens there\); .*\n$/);
  });

  test("where the address is another machine's", async () => {
    const { code, text } = await refused({ ip: "192.0.2.1" });
    expect(code).toBe(1);
    expect(text).toMatch(/^lutnn kernel: kernel: every address .*192\.0\.2\.1.*\n$/);
  });

  test("where the address is none", async () => {
    const { code, text } = await refused({ ip: "no address" });
    expect(code).toBe(1);
    expect(text).toMatch(/^lutnn kernel: kernel: every address .*\n$/);
  });
});

test.skipIf(process.platform === "win32")(
  "a connection file that others may read is named in the log",
  async () => {
    const { text } = await refused({ ip: "192.0.2.1" }, 0o644);
    expect(text).toContain("the connection file must be readable by its owner alone (its mode is 644");
  },
);

describe("a connection file that is none is refused, and the key in it is not said", () => {
  const key = "5ec2e7c0ffee";
  test.each<[string, object, (text: string) => string, RegExp]>([
    [
      "a key that is a number",
      { key: 52_370_007 },
      (text) => text,
      /key must be a string \(got a value of type number in/,
    ],
    [
      "a key that is a list",
      { key: [key] },
      (text) => text,
      /key must be a string \(got a value of type object in/,
    ],
    [
      "a key without its quotes",
      { key },
      (text) => text.replace(`"${key}"`, ` s${key}`),
      /must hold a JSON object/,
    ],
    [
      "a file that ends in the key",
      { key },
      (text) => text.slice(0, text.indexOf(key) + 8),
      /must hold a JSON object/,
    ],
    ["a file that is its key", { key }, () => `x${key}`, /must hold a JSON object/],
  ])("%s", async (_what, change, spoil, message) => {
    const { code, text } = await refused(change, 0o600, spoil);
    expect(code).toBe(1);
    expect(text).toMatch(message);
    expect(text).not.toMatch(/5237|5ec2/);
    expect(text.trim().split("\n")).toHaveLength(1);
  });
});
