// What is written past console: by child processes, native code and file descriptor.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Kernel } from "./kernelClient";

describe.skipIf(process.platform === "win32")("what is written past console appears in its cell", () => {
  let kernel: Kernel;
  beforeAll(async () => {
    kernel = await Kernel.start();
    await kernel.execute('import * as cp from "child_process"; import * as fs from "fs";');
  });
  afterAll(() => kernel.stop());

  test.each([
    ["execSync", 'cp.execSync("echo hello", { stdio: "inherit" });', "hello\n"],
    ["execFileSync", 'cp.execFileSync("echo", ["hello"], { stdio: "inherit" });', "hello\n"],
    ["spawnSync", 'cp.spawnSync("echo", ["hello"], { stdio: [0, 1, 2] });', "hello\n"],
    [
      "spawnSync into process.stdout",
      'cp.spawnSync("echo", ["hello"], { stdio: [0, process.stdout, 2] });',
      "hello\n",
    ],
    ["a child of a child", 'cp.execSync("sh -c \'echo hello\'", { stdio: "inherit" });', "hello\n"],
    [
      "a child that opens /dev/stdout",
      'cp.execSync("echo hello > /dev/stdout", { stdio: "inherit" });',
      "hello\n",
    ],
    ["fs.writeSync", 'fs.writeSync(1, "hello\\n");', "hello\n"],
    ["fs.writeSync by process.stdout.fd", 'fs.writeSync(process.stdout.fd, "hello\\n");', "hello\n"],
    ["fs.writeFileSync", 'fs.writeFileSync(1, "hello\\n");', "hello\n"],
    ["fs.write", 'await new Promise((done) => fs.write(1, "hello\\n", done));', "hello\n"],
    [
      "spawn that is awaited",
      'await new Promise((done) => cp.spawn("echo", ["hello"], { stdio: "inherit" }).on("exit", done));',
      "hello\n",
    ],
    [
      "text of several bytes a character",
      "cp.execSync(\"printf '\\\\303'; sleep 0.1; printf '\\\\244'\", { stdio: \"inherit\" });",
      "ä",
    ],
  ])("%s", async (_, code, expected) => {
    const { reply, stdout } = await kernel.execute(code);
    expect(reply.content.status).toBe("ok");
    expect(stdout).toBe(expected);
  });

  test("errors go to stderr", async () => {
    const { stdout, stderr } = await kernel.execute(
      'cp.execSync("echo out; echo err >&2", { stdio: "inherit" });',
    );
    expect([stdout, stderr]).toEqual(["out\n", "err\n"]);
  });

  test.each([
    [
      "while the cell waits",
      'await new Promise((done) => cp.spawn("sh", ["-c", words], { stdio: "inherit" }).on("exit", done));',
    ],
    ["while nothing else runs", 'cp.execSync(words, { stdio: "inherit" });'],
  ])("what only sounds like a process's last words is shown as well, %s", async (_, code) => {
    const words = ["FATAL ERROR: one", "<--- Last few GCs --->", "and on"];
    const command = `printf '${words.join("\\n")}\\n' >&2; sleep 0.7; printf 'after\\n' >&2`;
    const { stderr } = await kernel.execute(`{ const words = ${JSON.stringify(command)}; ${code} }`);
    expect(stderr).toBe(`${words.join("\n")}\nafter\n`);
  });

  test("it stands where it was written, between what the cell printed before and after", async () => {
    const code = `for (let turn = 0; turn < 20; turn++) {
      console.log("before " + turn);
      cp.execSync("echo child " + turn, { stdio: "inherit" });
      console.log("between " + turn);
      fs.writeSync(1, "descriptor " + turn + "\\n");
    }`;
    const turns = Array.from({ length: 20 }, (_, turn) =>
      ["before", "child", "between", "descriptor"].map((what) => `${what} ${turn}\n`).join(""),
    );
    expect((await kernel.execute(code)).stdout).toBe(turns.join(""));
  });

  test("much of it passes, whole", async () => {
    const { stdout } = await kernel.execute('cp.execSync("yes x | head -c 3000000", { stdio: "inherit" });');
    expect(stdout).toBe("x\n".repeat(1_500_000));
  });

  test("what comes while a cell is stuck appears at once", async () => {
    const cell = await kernel.startCell(
      'cp.spawn("sh", ["-c", "sleep 0.2; echo alive"], { stdio: "inherit" }); for (const end = Date.now() + 5000; Date.now() < end; );',
    );
    const start = Date.now();
    await cell.printed("alive");
    expect(Date.now() - start).toBeLessThan(4500);
    await cell.done();
  });

  test("what comes when no cell runs goes to the last one", async () => {
    const cell = await kernel.startCell(
      'cp.spawn("sh", ["-c", "sleep 0.5; echo late"], { stdio: "inherit" }); 1',
    );
    await cell.done();
    await cell.printed("late");
  });

  test("a silent cell's is not published", async () => {
    const { stdout } = await kernel.execute('cp.execSync("echo hello", { stdio: "inherit" });', {
      silent: true,
    });
    expect(stdout).toBe("");
  });

  test.each([
    ["execSync", 'String(cp.execSync("cat"))'],
    ["execSync with the kernel's own stdin", 'cp.execSync("cat", { stdio: "inherit" }); ""'],
    ["readFileSync", 'fs.readFileSync(0, "utf8")'],
  ])("%s finds the end of its input at once", async (_, code) => {
    expect(await kernel.evaluate(code)).toBe("''");
  });
});
