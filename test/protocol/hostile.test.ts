// Cells that break what they can reach: each is answered, and the next one runs.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Kernel } from "./kernelClient";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await Kernel.start();
});
afterAll(() => kernel.stop());

const stillWorks = async () => {
  expect(await kernel.evaluate('[1, 2].map((each) => each + "x").join()')).toBe("'1x,2x'");
  const { stdout } = await kernel.execute(
    "await Promise.resolve(); console.log(JSON.stringify({ a: [1] }));",
  );
  expect(stdout).toBe('{"a":[1]}\n');
};

const make: Record<string, string> = {
  "a proxy with a throwing trap": "new Proxy({}, { getPrototypeOf() { throw 2 }, get() { throw 3 } })",
  "a revoked proxy":
    "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()",
  "an error whose message throws":
    'Object.defineProperty(new Error("x"), "message", { get() { throw new Error("m"); } })',
  "an error whose name is a symbol": 'Object.assign(new Error("x"), { name: Symbol("n") })',
  "an error whose name throws": 'Object.defineProperty(new Error("x"), "name", { get() { throw 1; } })',
  "an error whose stack throws": 'Object.defineProperty(new Error("x"), "stack", { get() { throw 1; } })',
  "an error whose cause throws": 'Object.defineProperty(new Error("x"), "cause", { get() { throw 1; } })',
  "an error whose message is no text": 'Object.assign(new Error("x"), { message: Object.create(null) })',
  "an error that is its own cause":
    '(() => { const error: any = new Error("x"); error.cause = error; return error; })()',
  "an error with a very long message": 'new Error("x".repeat(50_000_000))',
  "an error with ten thousand causes":
    '(() => { let error: any = new Error("x"); for (let i = 0; i < 10_000; i++) error = new Error("y", { cause: error } as any); return error; })()',
  "an aggregate without errors":
    'Object.assign(new (globalThis as any).AggregateError([], "x"), { errors: null })',
  "an aggregate of what cannot be shown":
    'new (globalThis as any).AggregateError([new Proxy({}, { getPrototypeOf() { throw 2 } }), Symbol("s"), null], "x")',
  "an object whose inspect throws":
    '{ [Symbol.for("nodejs.util.inspect.custom")]() { throw new Error("i"); } }',
  "an object whose toString throws": "{ toString() { throw 1; }, toJSON() { throw 1; } }",
  null: "null",
  undefined: "undefined",
  "a symbol": 'Symbol("s")',
  "a function": "() => 1",
};

describe.each(Object.entries(make))("%s", (_, code) => {
  test("thrown from a cell is answered with an error", async () => {
    const { reply, published } = await kernel.execute(`throw ${code.startsWith("{") ? `(${code})` : code};`);
    expect(reply.content.status).toBe("error");
    for (const field of [reply.content.ename, reply.content.evalue]) expect(typeof field).toBe("string");
    expect(reply.content.traceback.join("\n").length).toBeLessThan(1_000_000);
    expect(reply.content.traceback.join("\n")).not.toContain("kernel/lib");
    expect(published.some(({ header }) => header.msg_type === "error")).toBe(true);
    await stillWorks();
  });

  test("thrown from a timer, and as a rejection, is printed", async () => {
    const cell = await kernel.startCell(
      `setTimeout(() => { throw (${code}); }, 1); void Promise.reject((${code})); await new Promise((done) => setTimeout(done, 50));`,
    );
    const { stderr, reply } = await cell.done();
    expect(reply.content.status).toBe("ok");
    expect(stderr).toContain("Uncaught");
    expect(stderr).toContain("Unhandled rejection:");
    await stillWorks();
  });
});

test.each([
  [
    "Error.prepareStackTrace that throws",
    '(Error as any).prepareStackTrace = () => { throw new Error("p"); }; throw new Error("q");',
  ],
  [
    "Error.prepareStackTrace of another type",
    '(Error as any).prepareStackTrace = () => Symbol("s"); throw new Error("q");',
  ],
  ["no stack trace at all", '(Error as any).stackTraceLimit = 0; throw new Error("q");'],
])("%s leaves the error", async (_, code) => {
  const own = await Kernel.start();
  const { reply } = await own.execute(code);
  expect(reply.content).toMatchObject({ status: "error", ename: "Error", evalue: "q" });
  expect(await own.evaluate("6 * 7")).toBe("42");
  await own.stop();
});

const global = "const all = globalThis as any;";
describe("what a cell overwrites is put back", () => {
  test.each([
    ["Promise", `${global} all.Promise = null;`],
    ["JSON", `${global} all.JSON = undefined;`],
    ["Array.prototype.map", `${global} all.Array.prototype.map = null;`],
    ["Array.prototype.map", `${global} all.Array.prototype.map = () => { throw new Error("mine"); };`],
    ["Array.prototype.push", `${global} delete all.Array.prototype.push;`],
    [
      "Map.prototype.get",
      `${global} all.Map.prototype.get = all.Map.prototype.has = all.Map.prototype.set = null;`,
    ],
    ["Promise.prototype.then", `${global} all.Promise.prototype.then = null;`],
    ["Object.keys", `${global} all.Object.keys = all.Object.entries = null;`],
    ["Object", `${global} all.Object = null;`],
    ["console", `${global} all.console = null;`],
    ["process", `${global} all.process = null;`],
    ["process.exit", `${global} all.process.exit = all.process.on = all.process.emit = null;`],
    ["Array.prototype.%Symbol.iterator%", `${global} all.Array.prototype[Symbol.iterator] = null;`],
    ["Object.prototype.toJSON", `${global} all.Object.prototype.toJSON = () => 1;`],
    ["Object.prototype.then", `${global} all.Object.prototype.then = () => {};`],
    ["Object.prototype.get", `${global} all.Object.prototype.get = () => 1;`],
    [
      "Array.prototype.0",
      `${global} Object.defineProperty(all.Array.prototype, "0", { set() { throw new Error("no"); }, configurable: true });`,
    ],
    ["fs.readFileSync", 'require("fs").readFileSync = null;'],
    ["setTimeout", `${global} all.setTimeout = all.setImmediate = null;`],
  ])("%s", async (name, code) => {
    const { reply, stderr } = await kernel.execute(`{ ${code} }`);
    expect(reply.content.status).toBe("ok");
    expect(stderr).toMatch(
      /^The kernel and the libraries need what was overwritten, so it has been put back: /,
    );
    const key = /%(.*)%/.exec(name)?.[1];
    expect(stderr).toContain(key ?? name);
    await stillWorks();
  });

  test("what cannot do harm stays", async () => {
    const { stderr } = await kernel.execute(
      `{ ${global} all.Object.prototype.foo = 1; all.Array.prototype.last = function () { return this.at(-1); };
         all.console.log = all.console.log.bind(all.console); }`,
    );
    expect(stderr).toBe("");
    expect(await kernel.evaluate("({} as any).foo + ([1, 2] as any).last()")).toBe("3");
    await kernel.execute(`{ ${global} delete all.Object.prototype.foo; delete all.Array.prototype.last; }`);
    await stillWorks();
  });

  test("process.removeAllListeners() leaves the kernel its own", async () => {
    await kernel.execute("process.removeAllListeners();");
    const cell = await kernel.startCell(
      'setTimeout(() => { throw new Error("late"); }, 1); await new Promise((done) => setTimeout(done, 50));',
    );
    expect((await cell.done()).stderr).toContain("Uncaught");
    await stillWorks();
  });
});

describe("values that are hard to show are shown", () => {
  test.each([
    ["null", '"abc".match(/z/)', "null"],
    [
      "a getter that throws",
      '({ name: "net", get shape() { throw new Error("not built"); } })',
      "{ name: 'net', shape: [Getter] }",
    ],
    [
      "a BigInt in a figure",
      "({ data: [{ x: [1n] }], layout: {} })",
      "{ data: [ { x: [Array] } ], layout: {} }",
    ],
    [
      "a revoked proxy",
      "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()",
      "<Revoked Proxy>",
    ],
    [
      "a sparse array",
      "(() => { const array: any[] = []; array[4294967294] = 1; return array; })()",
      "[ <4294967294 empty items>, 1 ]",
    ],
  ])("%s", async (_, code, expected) => {
    expect(await kernel.evaluate(code)).toBe(expected);
  });

  test("a cycle in a figure", async () => {
    expect(
      await kernel.evaluate(
        "const figure: any = { data: [{ x: [1] }], layout: {} }; figure.layout.up = figure; figure",
      ),
    ).toContain("[Circular *1]");
  });

  test("a display method that throws, or gives what cannot be sent", async () => {
    const show = 'Symbol.for("Jupyter.display")';
    expect(await kernel.evaluate(`({ [${show}]() { throw new Error("no"); } })`)).toContain(
      "failed: Error: no)",
    );
    expect(await kernel.evaluate(`({ [${show}]: () => ({ "text/plain": 1n }) })`)).toContain("must be JSON");
    expect(await kernel.evaluate(`({ [${show}]: async () => { throw 1; } })`)).toContain("failed: 1)");
  });
});

test("messages of types and about comms that every object knows are ignored or answered", async () => {
  const names = ["constructor", "toString", "__proto__", "hasOwnProperty", "valueOf"];
  for (const name of names)
    for (const channel of ["shell", "control"] as const) await kernel.send(channel, name, { a: 1 });
  const ids: string[] = [];
  for (const name of names)
    ids.push(await kernel.send("shell", "comm_open", { comm_id: name, target_name: name, data: {} }));
  await stillWorks();
  for (const id of ids) expect(kernel.of(id).map(({ header }) => header.msg_type)).toContain("comm_close");
});

test.each([
  ["brackets", `${"[".repeat(5000)}${"]".repeat(5000)}`],
  ["parentheses", `${"(".repeat(20_000)}1${")".repeat(20_000)}`],
  ["blocks", `${"{".repeat(8000)}${"}".repeat(8000)}`],
  ["terms", Array(30_000).fill("1").join("+")],
  ["properties", `let deep: any; deep${".a".repeat(5000)}`],
])("thousands of nested %s fail, and the next cells run", async (_, code) => {
  await kernel.execute("const kept = 5;");
  expect((await kernel.execute(code)).reply.content.status).toBe("error");
  expect(await kernel.evaluate("kept + 1")).toBe("6");
  await stillWorks();
});

describe("the stop button", () => {
  const stop = async (code: string) => {
    const cell = await kernel.startCell(`console.log("on"); ${code}`);
    await cell.printed("on");
    const start = Date.now();
    await kernel.request("control", "interrupt_request");
    const done = await cell.done();
    await stillWorks();
    return { ...done, ms: Date.now() - start };
  };

  test.each([
    ["Atomics.wait", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);"],
    ["Atomics.wait in a loop", "for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 50);"],
    ["execSync", 'require("child_process").execSync("sleep 60");'],
    [
      "execSync in a loop that catches everything",
      'for (;;) try { require("child_process").execSync("sleep 60"); } catch {}',
    ],
    [
      "a child that does not want to",
      `require("child_process").spawnSync("sh", ["-c", "trap '' INT TERM; sleep 60; sleep 60"]);`,
    ],
    ["a catastrophic regular expression", '/^(a+)+$/.test("a".repeat(40) + "b");'],
  ])("stops %s", async (_, code) => {
    const { reply, ms } = await stop(code);
    expect(reply.content).toMatchObject({ status: "error", ename: "AbortError" });
    expect(ms).toBeLessThan(20_000);
  });

  test("says which child was killed", async () => {
    const { stderr } = await stop(
      `require("child_process").spawnSync("sh", ["-c", "trap '' INT TERM; sleep 61; sleep 61"]);`,
    );
    expect(stderr).toMatch(
      /^The child process that the cell waited for \(.*sleep 61.*\) did not end and was killed\.\n$/,
    );
  });

  test("leaves children in the background alone", async () => {
    await kernel.execute('const server = require("child_process").spawn("sleep", ["600"]);');
    await stop('require("child_process").execSync("sleep 60");');
    expect(await kernel.evaluate("[server.exitCode, server.signalCode]")).toBe("[ null, null ]");
    await kernel.execute("server.kill();");
  });

  test.skipIf(process.platform === "win32")(
    "says at once what it cannot stop, and what can be done",
    async () => {
      // Opening a pipe that nobody writes to blocks inside the system.
      const pipe = join(kernel.folder, "pipe");
      execFileSync("mkfifo", [pipe]);
      const cell = await kernel.startCell(`console.log("on"); require("fs").readFileSync("${pipe}");`);
      await cell.printed("on");
      await kernel.request("control", "interrupt_request");
      const said = () => kernel.of(cell.id).some(({ content }) => content.name === "stderr");
      await kernel.until(said);
      writeFileSync(pipe, "x");
      const { stderr, reply } = await cell.done();
      expect(stderr).toMatch(/^The cell does not stop yet: .*restart the kernel to end it now\.\n$/);
      expect(reply.content.ename).toBe("AbortError");
      await stillWorks();
    },
  );
});
