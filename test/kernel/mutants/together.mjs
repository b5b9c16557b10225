// Many faults in one process: the library holds all of them with switches, and each test of a file runs with one after the
// other (faultRunner.mjs), so that Vitest and TensorFlow start once a file and not once a fault.
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compiled, withSwitches } from "./mutate.mjs";
import { startSeconds } from "./plant.mjs";
import { faultsByPath } from "./reach.mjs";
import { startVitest, untilStopped, withTexts } from "./running.mjs";

const pollMilliseconds = 500;
/** How long nothing may be written down beside five times what a test takes alone: its hooks, and a busy machine. */
const idleSeconds = 45;
const clean = -1;

/** Runs the tests of a file with faults; what the runner wrote, and whether the last that it tried took too long. */
async function run(root, file, { tests, left, milliseconds }, env) {
  const [given, log] = ["together.json", "together.jsonl"].map((name) => join(root, "out/mutants", name));
  writeFileSync(given, JSON.stringify({ tests, left, log }));
  writeFileSync(log, "");
  const lines = () =>
    readFileSync(log, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  const options = [file, "--config", "test/kernel/mutants/faults.config.mjs", "--silent=true"];
  const { child, stop } = startVitest(root, options, { ...env, LUTNN_FAULTS: given });
  let isEndless = false;
  await untilStopped(stop, () => {
    const timer = setInterval(() => {
      const { mtimeMs, size } = statSync(log);
      const last = size > 0 ? lines().at(-1) : null;
      const limit = last ? 1000 * idleSeconds + 5 * milliseconds[last.test] : 1000 * startSeconds;
      if (Date.now() - mtimeMs < limit) return;
      isEndless = last?.what === "tried";
      stop();
    }, pollMilliseconds);
    return new Promise((resolve) => {
      child.on("exit", () => {
        clearInterval(timer);
        resolve();
      });
    });
  });
  return { lines: lines(), isEndless };
}

/**
 * Plants faults together and runs tests of some files.
 * @param faults each with the number that switches it on, `switchedBy`
 * @param parts of each file: the faults' numbers by test, and the milliseconds of each test
 * @param left by number: milliseconds that a fault may still take; brought up to date
 * @param onNoticed called with a fault's number and what noticed it
 * @returns pairs of file, test and fault that could not be tried so: a test that does not pass twice in one process
 */
export async function plantTogether(root, faults, parts, left, onNoticed) {
  const noticed = new Set();
  const untried = [];
  const texts = new Map(
    [...faultsByPath(faults).values()].map((own) => [
      own[0],
      withSwitches(readFileSync(join(root, own[0].source), "utf8"), own),
    ]),
  );
  await withTexts(root, texts, compiled, async (env) => {
    for (const { file, tests, milliseconds } of parts) {
      const open = new Map(Object.entries(tests).map(([name, some]) => [name, new Set(some)]));
      for (;;) {
        for (const [name, some] of open) {
          for (const fault of some) if (noticed.has(fault) || left[fault] <= 0) some.delete(fault);
          if (some.size === 0) open.delete(name);
        }
        if (open.size === 0) break;
        const wanted = Object.fromEntries([...open].map(([name, some]) => [name, [...some]]));
        const { lines, isEndless } = await run(root, file, { tests: wanted, left, milliseconds }, env);
        const giveUp = (test) => {
          for (const fault of open.get(test) ?? []) untried.push({ file, test, fault });
          open.delete(test);
        };
        for (const { what, test, fault, message, milliseconds: taken } of lines) {
          if (what === "noticed" || what === "late") {
            noticed.add(fault);
            onNoticed(fault, {
              file,
              test: what === "late" ? null : test,
              message: message.split("\n")[0].slice(0, 200),
            });
          } else if (what === "unnoticed") {
            left[fault] -= taken;
            open.get(test)?.delete(fault);
          } else if (what === "spoilt") {
            if (fault === clean) giveUp(test);
            else {
              untried.push({ file, test, fault });
              open.get(test)?.delete(fault);
            }
          }
        }
        const last = lines.at(-1);
        const tests = lines.filter(({ what }) => what !== "tried");
        if (last?.what === "tried" && last.fault !== clean) {
          noticed.add(last.fault);
          const message = isEndless ? "took too long" : "the process ended";
          onNoticed(last.fault, { file, test: isEndless ? null : "the process itself", message });
        } else if (last?.what === "tried") giveUp(last.test);
        else if (tests.length === 0)
          for (const name of [...open.keys()]) giveUp(name); // it could not even be loaded
        else if (last.what !== "spoilt" && last.what !== "late") break; // it ran to its end
      }
    }
  });
  return untried;
}
