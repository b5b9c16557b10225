// npm run check:setup: sets a fresh clone of this commit up in a folder whose name has spaces, an apostrophe and other
// scripts: two set-ups at once, then one that is killed several times in the middle, then a start without any network and the
// first notebook. Ten minutes.
import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const root = resolve(import.meta.dirname, "../../..");
const above = mkdtempSync(join(tmpdir(), "lutnn-check-setup-"));
const folder = join(above, "a b", "ü 空's");
const checkout = join(folder, "lutnn");
const kills = 5;

/** Before a command: no network but the machine's own. Linux, where users may have namespaces. */
const alone = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"];
const canBeAlone = spawnSync(alone[0], [...alone.slice(1), "true"]).status === 0;

function run(command, args, cwd) {
  const { status } = spawnSync(command, args, { cwd, stdio: "inherit" });
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${status}`);
}

/** A set-up in a process group of its own: how it ended, and what it printed. */
function setUp() {
  const child = spawn(process.execPath, ["kernel/install/setup.mjs"], { cwd: checkout, detached: true });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (text += chunk));
  const ended = new Promise((done) => child.on("close", (status) => done({ status, text })));
  return { ended, kill: () => process.kill(-child.pid, "SIGKILL") };
}

function must(holds, sentence, text = "") {
  console.log(`${holds ? "holds" : "FAILS"}  ${sentence}`);
  if (holds) return;
  console.log(text);
  process.exitCode = 1;
}

try {
  mkdirSync(folder, { recursive: true });
  run("git", ["clone", "--quiet", root, checkout], folder);
  const [first, second] = await Promise.all([setUp().ended, setUp().ended]);
  must(
    first.status === 0 && second.status === 0,
    "two set-ups at once both end well",
    first.text + second.text,
  );
  must(
    [first, second].some(({ text }) => text.includes("waiting")),
    "one of them says that it waits",
  );
  const again = await setUp().ended;
  must(again.text.includes("up to date"), "nothing is left to do after them", again.text);

  for (let turn = 0; turn < kills; turn++) {
    for (const product of ["kernel/lib", "native/build", "extension/labextension"])
      rmSync(join(checkout, product), { recursive: true, force: true });
    const { ended, kill } = setUp();
    await pause(1000 + 9000 * Math.random());
    kill();
    await ended;
  }
  const last = await setUp().ended;
  must(last.status === 0, `it goes on after it was killed ${kills} times`, last.text);
  const [command, ...before] = canBeAlone ? [...alone, process.execPath] : [process.execPath];
  const where = canBeAlone ? "without any network" : "(with a network: this system has no unshare for users)";
  run(command, [...before, "kernel/install/setup.mjs"], checkout);
  run(
    command,
    [...before, "kernel/bin/lutnn.js", "run", "notebooks/01-first-lookup-network.ipynb"],
    checkout,
  );
  must(
    readdirSync(join(checkout, "out")).includes("digits.lut.onnx"),
    `a second start ${where} runs the first notebook`,
  );
} finally {
  rmSync(above, { recursive: true, force: true });
}
