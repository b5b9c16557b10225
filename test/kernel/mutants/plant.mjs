import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compiled } from "./mutate.mjs";
import { testEnvironment } from "./reach.mjs";

/** Seconds that the start of Vitest and of TensorFlow may take on a busy machine. */
export const startSeconds = 120;

const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** What is to be done when this process is stopped, the newest first. */
const clearings = [];
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => {
    for (const clear of clearings.reverse()) clear();
    process.exit(130);
  });

/** Does some work; `clear` is called when this process is stopped meanwhile. */
export async function untilStopped(clear, work) {
  clearings.push(clear);
  try {
    return await work();
  } finally {
    clearings.splice(clearings.indexOf(clear), 1);
  }
}

/** Runs Vitest for at most so long: its exit status, null where it took too long. */
function vitest(root, options, milliseconds) {
  let tooLong = false;
  const child = spawn(process.execPath, [join(root, "node_modules/vitest/vitest.mjs"), "run", ...options], {
    cwd: root,
    stdio: "ignore",
    detached: true,
    env: testEnvironment,
  });
  // With the processes that it started: one of them may be in an endless loop.
  const stop = () => process.kill(-child.pid, "SIGKILL");
  return untilStopped(
    stop,
    () =>
      new Promise((resolve) => {
        const timer = setTimeout(() => {
          tooLong = true;
          stop();
        }, milliseconds);
        child.on("exit", (status) => {
          clearTimeout(timer);
          resolve(tooLong ? null : status);
        });
      }),
  );
}

/** Runs some tests of a file up to the first failure: null when they pass, else the test and what it said. */
async function failureOf(root, { file, names, milliseconds }) {
  const written = join(root, "out/mutants/result.json");
  rmSync(written, { force: true });
  const status = await vitest(
    root,
    [
      ...[file, "--config", "test/vitest.config.mjs", "--bail", "1"],
      ...["--reporter=json", `--outputFile=${written}`, "-t", `^(?:${names.map(escaped).join("|")})$`],
    ],
    startSeconds * 1000 + 5 * milliseconds, // a fault may also make a loop endless
  );
  if (status === null) return { file, test: null, message: "took too long" };
  if (!existsSync(written)) return { file, test: "the process itself", message: `ended with ${status}` };
  const { numPassedTests, testResults } = JSON.parse(readFileSync(written, "utf8"));
  if (status === 0) {
    if (numPassedTests < names.length)
      throw new Error(`${file}: ${numPassedTests} of ${names.length} tests were run: ${names.join("; ")}`);
    return null;
  }
  const [failed] = testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter((one) => one.status === "failed"),
  );
  const message = failed?.failureMessages[0] ?? testResults.map((one) => one.message).join("; ");
  return {
    file,
    test: failed?.fullName ?? "while it was loaded",
    message: message.split("\n")[0].slice(0, 200),
  };
}

/**
 * Plants a fault, runs tests in turn that take about so many seconds by themselves (0: all of them), and takes it out again: what failed
 * first, null where nothing did.
 */
export async function plant(root, { library, code }, tries, seconds) {
  if (tries.length === 0) return null;
  const target = join(root, "kernel/lib", library);
  const right = readFileSync(target);
  const putBack = () => writeFileSync(target, right);
  try {
    return await untilStopped(putBack, async () => {
      writeFileSync(target, compiled(code));
      let spent = 0;
      for (const one of tries) {
        if (seconds > 0 && spent > 1000 * seconds) return null;
        spent += one.milliseconds;
        const failure = await failureOf(root, one);
        if (failure) return failure;
      }
      return null;
    });
  } finally {
    putBack();
  }
}
