// npm test: every suite in turn, its seconds, and a table at the end. `npm test -- unit browser` runs only those.
import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { run, testArm, testHere, testWithSanitizers } from "./native/builds.mjs";
import { checkFormat } from "./native/format.mjs";

const root = resolve(import.meta.dirname, "..");
const at = (...parts) => join(root, ...parts);
const notebook = "01-first-lookup-network.ipynb";

/** Where data are looked for: where the user says, else what the set-up has fetched for the tests. */
const dataFolder = process.env.LUTNN_DATA ?? at(".cache/lutnn");

const node = (env, ...args) => run(process.execPath, args, env);
/** What Vitest wrote of the suite that is running. */
const written = at("out", "test-results.json");
const vitest = (env, ...filters) =>
  node(
    env,
    at("node_modules/vitest/vitest.mjs"),
    "run",
    "--config",
    "test/vitest.config.mjs",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${written}`,
    ...filters,
  );

/** Each failed test's file, name and message: a log of which only the end is kept still says what failed. */
function failedTests() {
  let results;
  try {
    results = JSON.parse(readFileSync(written, "utf8"));
  } catch {
    return []; // another kind of suite, or one that ended before its first result
  }
  return results.testResults.flatMap(({ name: file, message, assertionResults }) => {
    const failed = assertionResults.filter(({ status }) => status === "failed");
    const said = failed.map(({ fullName, failureMessages }) => `${fullName}\n${failureMessages.join("\n")}`);
    if (message) said.push(message);
    return said.map((text) => `${relative(root, file)}: ${text}`);
  });
}

/**
 * In order: what fails fast comes first; the browser test opens the notebook that the one before it executed. A suite
 * that returns a sentence was skipped, and says why.
 */
const suites = {
  lint: () => {
    node({}, at("node_modules/@biomejs/biome/bin/biome"), "check", "--error-on-warnings");
    checkFormat();
  },
  types: () => node({}, at("node_modules/typescript/bin/tsc"), "-p", "test"),
  native: testHere,
  sanitizers: testWithSanitizers,
  arm: testArm,
  unit: () =>
    vitest(
      {},
      "test/kernel",
      "test/native",
      "test/structure",
      "test/extension",
      "--exclude",
      "**/*browser.test.ts",
    ),
  protocol: () => vitest({}, "test/protocol"),
  notebook: () => {
    mkdirSync(at("out"), { recursive: true });
    for (const name of readdirSync(at("out")))
      if (/^(plus-and-paper|paper-networks)-/.test(name)) rmSync(at("out", name), { recursive: true }); // of runs before
    for (const name of readdirSync(at("notebooks")).sort())
      if (name.endsWith(".ipynb"))
        node({ LUTNN_DATA: dataFolder }, at("kernel/bin/lutnn.js"), "run", `notebooks/${name}`);
    vitest({ LUTNN_EXECUTED_NOTEBOOK: at("out", notebook) }, "test/notebooks");
  },
  browser: () => vitest({ LUTNN_EXECUTED_NOTEBOOK: at("out", notebook) }, "browser.test.ts"),
};

const wanted = process.argv.slice(2);
for (const name of wanted)
  if (!suites[name]) {
    console.error(`npm test: there is no suite "${name}"; the suites are ${Object.keys(suites).join(", ")}`);
    process.exit(2);
  }

const results = [];
for (const [name, suite] of Object.entries(suites)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.log(`\n=== ${name}`);
  const start = performance.now();
  let failure = null;
  let skipped = null;
  rmSync(written, { force: true });
  try {
    skipped = suite() ?? null;
  } catch (error) {
    failure = error;
    console.error(`=== ${name} failed: ${error.message}`);
  }
  const seconds = (performance.now() - start) / 1000;
  results.push({ name, seconds, failure, skipped, failedTests: failure ? failedTests() : [] });
}

for (const { name, failedTests } of results)
  for (const test of failedTests) console.log(`\n=== ${name} failed in ${test}`);

console.log("\nsuite       seconds");
for (const { name, seconds, failure, skipped } of results)
  console.log(
    `${name.padEnd(10)} ${seconds.toFixed(1).padStart(8)}  ${failure ? "FAILED" : (skipped ?? "passed")}`,
  );
const total = results.reduce((sum, { seconds }) => sum + seconds, 0);
console.log(`${"all".padEnd(10)} ${total.toFixed(1).padStart(8)}`);
process.exit(results.some(({ failure }) => failure) ? 1 : 0);
