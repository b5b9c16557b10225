import { afterEach, expect, test } from "vitest";
import { Subscriber } from "zeromq";
import { find, Kernel } from "./kernelClient";

let kernel: Kernel;
afterEach(() => kernel.stop());

const residentMb = async () => Number(await kernel.evaluate("Math.round(process.memoryUsage().rss / 1e6)"));

test("ten thousand lines printed in a loop arrive complete, in order and in few messages", async () => {
  kernel = await Kernel.start();
  const { stdout, published } = await kernel.execute(
    'for (let i = 0; i < 10_000; i++) console.log("line " + i);',
  );
  expect(stdout).toBe(Array.from({ length: 10_000 }, (_, i) => `line ${i}\n`).join(""));
  expect(published.length).toBeLessThan(1000);
});

test("printing much more than clients take at once waits for them and loses nothing", async () => {
  kernel = await Kernel.start();
  const before = await residentMb();
  const { stdout } = await kernel.execute(
    'const line = "x".repeat(99_999); for (let i = 0; i < 2000; i++) console.log(line); const peak = process.memoryUsage().rss / 1e6;',
  );
  expect(stdout.length).toBe(2000 * 100_000);
  expect(Number(await kernel.evaluate("peak"))).toBeLessThan(before + 400);
});

test("a cell that prints short lines for ever is heard of, answered beside, and takes no memory for what waits", async () => {
  kernel = await Kernel.start();
  const before = await residentMb();
  const cell = await kernel.startCell(
    'let peak = 0; console.log("on"); for (let i = 0; ; i++) { console.log(i); if (i % 1000 === 0) peak = Math.max(peak, process.memoryUsage.rss() / 1e6); }',
  );
  await cell.printed("on");
  // What else the wire thread has to do waits for a moment each time, not for the end of the flood.
  for (let beat = 0; beat < 40; beat++) {
    const start = Date.now();
    await kernel.heartbeat();
    expect(Date.now() - start).toBeLessThan(5000);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await kernel.request("control", "interrupt_request");
  expect((await cell.done()).reply.content.ename).toBe("AbortError");
  expect(Number(await kernel.evaluate("peak"))).toBeLessThan(before + 400);
});

test.skipIf(process.platform === "win32")(
  "a child process that writes for ever holds its cell up no longer than it runs",
  async () => {
    kernel = await Kernel.start();
    await kernel.execute('import { spawn } from "child_process";');
    const { reply, stdout } = await kernel.execute(
      'const child = spawn("yes", { stdio: "inherit" }); await new Promise((resolve) => setTimeout(resolve, 500)); "done"',
    );
    expect(reply.content.status).toBe("ok");
    expect(stdout).toContain("y\ny\n");
    await kernel.execute('child.kill("SIGKILL"); await new Promise((resolve) => child.on("exit", resolve));');
    expect(await kernel.evaluate("1 + 1")).toBe("2");
  },
);

test("many displays in a loop all arrive", async () => {
  kernel = await Kernel.start();
  await kernel.execute('const host = Reflect.get(globalThis, Symbol.for("lutnn.host"));');
  const { published } = await kernel.execute(
    'for (let i = 0; i < 20_000; i++) host.display({ "text/plain": String(i) });',
  );
  const texts = published.slice(2, -1).map(({ content }) => content.data["text/plain"]);
  expect(texts).toEqual(Array.from({ length: 20_000 }, (_, i) => String(i)));
});

test("a client that has stopped reading holds the others up for seconds only, and memory stays bounded", async () => {
  kernel = await Kernel.start();
  const stalled = new Subscriber({ receiveHighWaterMark: 1, receiveBufferSize: 4096 });
  stalled.connect(`tcp://127.0.0.1:${kernel.ports.iopub}`);
  stalled.subscribe();
  await kernel.execute(
    'const host = Reflect.get(globalThis, Symbol.for("lutnn.host")); const text = "x".repeat(10_000);',
  );
  const before = await residentMb();
  const { published } = await kernel.execute(
    'for (let i = 0; i < 15_000; i++) host.display({ "text/plain": text });',
  );
  expect(published.filter(({ header }) => header.msg_type === "display_data")).toHaveLength(15_000);
  expect(find(published, "stream")?.content).toBeUndefined();
  expect(await residentMb()).toBeLessThan(before + 500);
  stalled.close();
});
