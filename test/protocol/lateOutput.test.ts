// What child processes write long after their cell has ended belongs to it, whichever cell runs then.
import { readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Kernel } from "./kernelClient";

/** Prints both lines once the next cell runs, which waits for the end of this. */
const late = "until [ -e go ]; do sleep 0.02; done; echo late; echo late error >&2; touch gone";
const next =
  'fs.writeFileSync("go", ""); for (let turn = 0; !fs.existsSync("gone"); turn++) await new Promise((done) => setTimeout(done, 20)); console.log("next"); fs.unlinkSync("go"); fs.unlinkSync("gone");';
/** Cells that are over at once. */
const spawns: [string, string][] = [
  ["spawn", `cp.spawn("sh", ["-c", late], { stdio: "inherit" });`],
  ["spawn, each by itself", `cp.spawn("sh", ["-c", late], { stdio: ["ignore", "inherit", "inherit"] });`],
  ["spawn with numbers", `cp.spawn("sh", ["-c", late], { stdio: [0, 1, 2] });`],
  ["spawn with streams", `cp.spawn("sh", ["-c", late], { stdio: [0, process.stdout, process.stderr] });`],
  ["spawn by a shell", "cp.spawn(late, { stdio: 'inherit', shell: true });"],
  ["a detached process", `cp.spawn("sh", ["-c", late], { stdio: "inherit", detached: true }).unref();`],
  ["fork", `cp.fork(file);`],
  ["a shell's background job, spawn", `cp.spawn("sh", ["-c", "(" + late + ") &"], { stdio: "inherit" });`],
  ["a shell's background job, execSync", `cp.execSync("(" + late + ") &", { stdio: "inherit" });`],
  [
    "a shell's background job, spawnSync",
    `cp.spawnSync("sh", ["-c", "(" + late + ") &"], { stdio: [0, 1, 2] });`,
  ],
  ["a child of a Node child", `cp.spawn(process.execPath, ["-e", nested], { stdio: "inherit" });`],
  ["an ES module", `await (await import("./spawn.mjs")).start(late);`],
  [
    "a promise",
    `util.promisify(cp.execFile)("true").then(() => cp.spawn("sh", ["-c", late], { stdio: "inherit" }));`,
  ],
  ["a timer", `whenGo(() => cp.execSync("echo late; echo late error >&2", { stdio: "inherit" }));`],
  [
    "file descriptors, from a timer",
    `whenGo(() => { fs.writeSync(1, "la"); fs.writeFileSync(1, "te\\n"); fs.writeSync(process.stderr.fd, "late error\\n"); });`,
  ],
  [
    "file descriptors, without waiting",
    `whenGo(async () => { await util.promisify(fs.write)(1, "la"); await util.promisify(fs.writeFile)(1, "te\\n"); await new Promise<void>((done) => fs.createWriteStream("", { fd: 2, autoClose: false }).end("late error\\n", () => done())); });`,
  ],
  ["a thread", `new Worker(thread, { eval: true, workerData: late });`],
  ["a thread of a thread", `new Worker(outerThread, { eval: true, workerData: late });`],
  [
    "a thread that has ended",
    `new Worker('require("child_process").spawn("sh", ["-c", require("worker_threads").workerData], { stdio: "inherit" })', { eval: true, workerData: late, execArgv: [] });`,
  ],
];
/** Runs in the kernel. */
const whenGo = `function whenGo(work: () => unknown) {
  const look = setInterval(async () => {
    if (!fs.existsSync("go")) return;
    clearInterval(look);
    await work();
    fs.writeFileSync("gone", "");
  }, 20);
}`;
const prelude = `${whenGo}
  import * as cp from "child_process"; import * as fs from "fs"; import * as util from "util";
  import { Worker } from "worker_threads";
  const late = ${JSON.stringify(late)};
  const nested = 'require("child_process").spawn("sh", ["-c", ' + JSON.stringify(late) + '], { stdio: "inherit" })';
  const file = "./fork.js"; fs.writeFileSync(file, nested);
  const thread = 'require("child_process").execSync(require("worker_threads").workerData, { stdio: "inherit" })';
  const outerThread = 'new (require("worker_threads").Worker)(' + JSON.stringify(thread) + ', { eval: true, workerData: require("worker_threads").workerData })';`;

describe.skipIf(process.platform === "win32")("what comes late belongs to the cell that started it", () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await Kernel.start();
    const module = `import { spawn } from "node:child_process"; export const start = (command) => { spawn("sh", ["-c", command], { stdio: "inherit" }); };`;
    writeFileSync(join(kernel.folder, "spawn.mjs"), module);
    await kernel.evaluate(prelude);
  });
  afterAll(() => kernel.stop());

  /** Texts of a stream, by cell. */
  const text = (id: string, name: string) =>
    kernel
      .of(id)
      .filter(({ header, content }) => header.msg_type === "stream" && content.name === name)
      .map(({ content }) => content.text)
      .join("");
  const said = (id: string) =>
    kernel.until(() => text(id, "stdout").endsWith("late\n") && text(id, "stderr") === "late error\n");

  test.each(spawns)("%s", async (_, code) => {
    const first = await kernel.execute(code);
    expect(first.reply.content.status).toBe("ok");
    const second = await kernel.execute(next);
    expect([second.stdout, second.stderr]).toEqual(["next\n", ""]);
    await said(first.reply.parent.msg_id);
  });

  test("two cells' children at once, while a third cell is stuck", async () => {
    const start = (word: string) =>
      kernel.startCell(
        `cp.spawn("sh", ["-c", "for i in 1 2 3; do sleep 0.3; echo ${word} $i; done"], { stdio: "inherit" });`,
      );
    const [a, b] = [await start("a"), await start("b")];
    const stuck = await kernel.startCell("for (const end = Date.now() + 2500; Date.now() < end; );");
    const lines = (word: string) => [1, 2, 3].map((each) => `${word} ${each}\n`).join("");
    await kernel.until(() => text(a.id, "stdout") === lines("a") && text(b.id, "stdout") === lines("b"));
    expect((await stuck.done()).stdout).toBe("");
  });

  test("a cell that failed, and one that was interrupted", async () => {
    const cells = [
      await kernel.startCell(`cp.spawn("sh", ["-c", late], { stdio: "inherit" }); throw new Error("no");`),
      await kernel.startCell(
        `cp.spawn("sh", ["-c", late], { stdio: "inherit" }); console.log("on"); await new Promise(() => {});`,
      ),
    ];
    await cells[0].done();
    // The error has aborted the other.
    // Waits for other files, else the end of the one might come before the other has looked.
    const again = await kernel.startCell(
      `cp.spawn("sh", ["-c", ${JSON.stringify(late.replaceAll("go", "stay"))}], { stdio: "inherit" }); console.log("on"); await new Promise(() => {});`,
    );
    await again.printed("on");
    await kernel.request("control", "interrupt_request");
    await again.done();
    for (const cell of [next, next.replaceAll('"go', '"stay')]) {
      const { stdout, stderr } = await kernel.execute(cell);
      expect([stdout, stderr]).toEqual(["next\n", ""]);
    }
    for (const { id } of [cells[0], again]) await said(id);
  });

  test("a child that makes its end non-blocking takes nothing from its sisters", async () => {
    // A Node child does so to pipes, as soon as it prints.
    const first = await kernel.startCell(
      `cp.spawn(process.execPath, ["-e", "console.log('node'); setTimeout(() => {}, 3000)"], { stdio: "inherit" });`,
    );
    await first.printed("node\n");
    const { stdout } = await kernel.execute('cp.execSync("yes x | head -c 3000000", { stdio: "inherit" });');
    expect(stdout.length).toBe(3_000_000);
    const both = await kernel.execute(`
      const child = cp.spawn(process.execPath, ["-e", "console.log('node'); setTimeout(() => {}, 3000)"], { stdio: ["ignore", "pipe", "inherit"] });
      cp.spawn(process.execPath, ["-e", "console.error('node'); setTimeout(() => {}, 2000)"], { stdio: "inherit" });
      cp.execSync("sleep 0.5; yes x | head -c 3000000 >&2", { stdio: "inherit" });`);
    expect(both.stderr.replace("node\n", "").length).toBe(3_000_000);
  });

  test("a silent cell's is not published", async () => {
    await kernel.execute(`cp.spawn("sh", ["-c", "sleep 0.3; echo secret"], { stdio: "inherit" });`, {
      silent: true,
    });
    const { stdout } = await kernel.execute(
      "await new Promise((done) => setTimeout(done, 1500)); console.log(1);",
    );
    expect(stdout).toBe("1\n");
    const all = kernel.published.filter(
      ({ header, content }) => header.msg_type === "stream" && content.text.includes("secret"),
    );
    expect(all).toEqual([]);
  });

  test("the descriptors go back when the last process has ended, also after hundreds of them", async () => {
    // As the system lists them; /dev/fd is one more.
    const open = async () => Number(await kernel.evaluate('fs.readdirSync("/dev/fd").length'));
    const wait = "await new Promise((done) => setTimeout(done, 2500));";
    await kernel.evaluate(wait);
    const before = await open();
    const code = `for (let turn = 0; turn < 100; turn++) cp.spawnSync("/bin/true", { stdio: "inherit" });`;
    expect((await kernel.execute(code)).reply.content.status).toBe("ok");
    for (let cell = 0; cell < 20; cell++)
      await kernel.execute(`cp.spawn("sh", ["-c", "sleep 0.5; echo ${cell}"], { stdio: "inherit" });`);
    expect(await open()).toBeGreaterThan(before);
    await kernel.evaluate(wait);
    expect(await open()).toBe(before);
  }, 120_000);

  test("a cell without such children opens nothing", async () => {
    const files = 'fs.readdirSync("/dev/fd").length';
    const before = await kernel.evaluate(files);
    await kernel.execute(
      `cp.execSync("echo captured"); cp.spawn("true", { stdio: "ignore" }); fs.writeSync(1, "x");`,
    );
    expect(await kernel.evaluate(files)).toBe(before);
  });
});

const folders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("lutnn-kernel-"));

test.skipIf(process.platform !== "linux").each([
  ["shutdown", (kernel: Kernel) => kernel.request("control", "shutdown_request", { restart: true })],
  ["a signal", async (kernel: Kernel) => kernel.process.kill("SIGKILL")],
])("after %s nothing is left of the pipes' files", async (_, end) => {
  const kernel = await Kernel.start();
  const folder = await kernel.evaluateAll(
    'import * as cp from "child_process"; import * as fs from "fs";',
    `cp.spawn("sh", ["-c", "sleep 60"], { stdio: "inherit" }); 1`,
    'fs.readlinkSync(fs.readdirSync("/proc/self/fd").map((each) => "/proc/self/fd/" + each).find((each) => { try { return fs.readlinkSync(each).includes("lutnn-kernel-"); } catch { return false; } })!)',
  );
  const name = /lutnn-kernel-\w+/.exec(folder)?.[0] ?? "";
  expect(folders()).toContain(name);
  await end(kernel);
  await kernel.exited;
  const deadline = Date.now() + 20_000;
  while (folders().includes(name) && Date.now() < deadline) await new Promise((done) => setTimeout(done, 50));
  expect(folders()).not.toContain(name);
  await kernel.stop();
});
