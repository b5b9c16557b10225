// The set-up's parts that need no set-up; `npm run check:setup` does the whole, in a folder of a difficult name.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
// @ts-expect-error The set-up is plain JavaScript.
import { remedyFor } from "../../../kernel/install/remedies.mjs";

const install = join(import.meta.dirname, "../../../kernel/install");

describe("a set-up's turn", () => {
  let checkout: string;
  let log: string;
  let children: ChildProcess[];

  beforeEach(() => {
    checkout = join(mkdtempSync(join(tmpdir(), "lutnn-turn-")), "ü 空's");
    mkdirSync(join(checkout, "kernel"), { recursive: true });
    cpSync(install, join(checkout, "kernel/install"), { recursive: true });
    log = join(checkout, "log");
    children = [];
  });

  afterEach(() => {
    for (const child of children) child.kill("SIGKILL");
    rmSync(checkout, { recursive: true, force: true });
  });

  /** A process that takes its turn, works (without its event loop, as the set-up does) until a file is there, and writes when. */
  function start(name: string, until: string) {
    const program = `
      import { appendFileSync, existsSync } from "node:fs";
      import { inTurn } from "./kernel/install/turn.mjs";
      const say = (what) => appendFileSync("log", "${name} " + what + "\\n");
      await inTurn(() => {
        say("begins");
        console.log("begins");
        while (!existsSync("${until}")) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10);
        say("ends");
      }, () => console.log("waits"));`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
      cwd: checkout,
      stdio: ["ignore", "pipe", "inherit"],
    });
    children.push(child);
    return { child, said: once(child.stdout, "data").then(([text]) => String(text).trim()) };
  }

  test("waits until that of another process has ended", async () => {
    const first = start("first", "go");
    expect(await first.said).toBe("begins");
    const others = [start("second", "log"), start("third", "log")];
    expect(await Promise.all(others.map(({ said }) => said))).toEqual(["waits", "waits"]);
    writeFileSync(join(checkout, "go"), "");
    await Promise.all(others.map(({ child }) => once(child, "close")));
    const lines = readFileSync(log, "utf8").trim().split("\n");
    expect(lines.slice(0, 2)).toEqual(["first begins", "first ends"]);
    expect(lines).toHaveLength(6);
    for (let i = 0; i < 6; i += 2) expect(lines[i + 1]).toBe(lines[i].replace("begins", "ends"));
  });

  test("goes to the next where the process was killed", async () => {
    const first = start("first", "never");
    expect(await first.said).toBe("begins");
    const second = start("second", "log");
    expect(await second.said).toBe("waits");
    first.child.kill("SIGKILL");
    await once(second.child, "close");
    expect(readFileSync(log, "utf8")).toBe("first begins\nsecond begins\nsecond ends\n");
  });

  test("belongs to one checkout", async () => {
    const first = start("first", "never");
    expect(await first.said).toBe("begins");
    const other = mkdtempSync(join(tmpdir(), "lutnn-turn-"));
    cpSync(checkout, other, { recursive: true });
    writeFileSync(join(other, "log"), "");
    checkout = other;
    expect(await start("second", "log").said).toBe("begins");
  });
});

test.each([
  ["npm error code ENOSPC", "make room"],
  ["ERROR: [Errno 28] No space left on device", "make room"],
  ["mkdir: cannot create directory: Permission denied", "writable"],
  ["npm error network request failed, reason: getaddrinfo EAI_AGAIN host", "check the connection"],
  ["ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "mirror or a proxy"],
  ["fatal error: some_header.h: No such file or directory", "what it does itself"],
])("a step that fails with “%s” advises: %s", (printed, advice) => {
  expect(remedyFor(printed, "what it does itself")).toContain(advice);
});
