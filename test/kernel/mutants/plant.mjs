import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compiled } from "./mutate.mjs";
import { vitest, withTexts } from "./running.mjs";

/** Seconds that the start of Vitest and of TensorFlow may take on a busy machine. */
export const startSeconds = 120;

const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** Runs some tests of a file up to the first failure: null when they pass, else the test and what it said. */
async function failureOf(root, { file, names, milliseconds }, env) {
  const written = join(root, "out/mutants/result.json");
  rmSync(written, { force: true });
  const status = await vitest(
    root,
    [
      ...[file, "--config", "test/kernel/mutants/alone.config.mjs", "--bail", "1"],
      ...["--reporter=json", `--outputFile=${written}`, "-t", `^(?:${names.map(escaped).join("|")})$`],
    ],
    startSeconds * 1000 + 5 * milliseconds, // a fault may also make a loop endless
    env,
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

/** Of tests that a fault made fail: whether they pass without it. Some need others of their file that were left out. */
const passWithout = new Map();
async function arePassing(root, one) {
  const key = JSON.stringify([one.file, one.names]);
  if (!passWithout.has(key)) passWithout.set(key, (await failureOf(root, one, {})) === null);
  return passWithout.get(key);
}

/**
 * Plants a fault, runs tests in turn that take about so many seconds by themselves (0: all of them), and takes it out again.
 * @returns what failed first and passes without the fault, null where nothing did; and whether tests were left that were not run
 */
export async function plant(root, fault, tries, seconds) {
  let spent = 0;
  for (const one of tries) {
    if (seconds > 0 && spent > 1000 * seconds) return { killedBy: null, isCut: true };
    spent += one.milliseconds;
    const texts = new Map([[fault, fault.code]]);
    const killedBy = await withTexts(root, texts, compiled, (env) => failureOf(root, one, env));
    if (killedBy && (await arePassing(root, one))) return { killedBy, isCut: false };
  }
  return { killedBy: null, isCut: false };
}
