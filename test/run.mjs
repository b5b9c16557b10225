// npm test: every suite in turn, its seconds, and a table at the end. `npm test -- unit browser` runs only those.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { run, testArm, testHere, testWithSanitizers } from "./native/builds.mjs";

const root = resolve(import.meta.dirname, "..");
const at = (...parts) => join(root, ...parts);
const notebook = "01-first-lookup-network.ipynb";

const node = (...args) => run(process.execPath, args);
const vitest = (env, ...filters) =>
  run(
    process.execPath,
    [at("node_modules/vitest/vitest.mjs"), "run", "--config", "test/vitest.config.mjs", ...filters],
    env,
  );

/**
 * In order: what fails fast comes first; the browser test opens the notebook that the one before it executed. A suite
 * that returns a sentence was skipped, and says why.
 */
const suites = {
  lint: () => node(at("node_modules/@biomejs/biome/bin/biome"), "check", "--error-on-warnings"),
  types: () => node(at("node_modules/typescript/bin/tsc"), "-p", "test"),
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
      if (name.startsWith("plus-and-paper-")) rmSync(at("out", name), { recursive: true }); // results of before
    for (const name of readdirSync(at("notebooks")).sort())
      if (name.endsWith(".ipynb")) node(at("kernel/bin/lutnn.js"), "run", `notebooks/${name}`);
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
  try {
    skipped = suite() ?? null;
  } catch (error) {
    failure = error;
    console.error(`=== ${name} failed: ${error.message}`);
  }
  results.push({ name, seconds: (performance.now() - start) / 1000, failure, skipped });
}

console.log("\nsuite       seconds");
for (const { name, seconds, failure, skipped } of results)
  console.log(
    `${name.padEnd(10)} ${seconds.toFixed(1).padStart(8)}  ${failure ? "FAILED" : (skipped ?? "passed")}`,
  );
const total = results.reduce((sum, { seconds }) => sum + seconds, 0);
console.log(`${"all".padEnd(10)} ${total.toFixed(1).padStart(8)}`);
process.exit(results.some(({ failure }) => failure) ? 1 : 0);
