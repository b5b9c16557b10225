// npm test: every suite in turn, its seconds, and a table at the end. `npm test -- unit browser` runs only those.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { buildNative } from "../kernel/install/steps.mjs";

const root = resolve(import.meta.dirname, "..");
const at = (...parts) => join(root, ...parts);
const notebook = "01-first-lookup-network.ipynb";

function run(command, args, env = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: "inherit", env: { ...process.env, ...env } });
  if (result.status !== 0)
    throw new Error(
      `${command} ${args.join(" ")}: ${result.error?.message ?? `status ${result.status ?? result.signal}`}`,
    );
}
const node = (...args) => run(process.execPath, args);
const vitest = (env, ...filters) =>
  run(
    process.execPath,
    [at("node_modules/vitest/vitest.mjs"), "run", "--config", "test/vitest.config.mjs", ...filters],
    env,
  );

/** In order: what fails fast comes first; the browser test opens the notebook that the one before it executed. */
const suites = {
  lint: () => node(at("node_modules/@biomejs/biome/bin/biome"), "check", "--error-on-warnings"),
  types: () => node(at("node_modules/typescript/bin/tsc"), "-p", "test"),
  native: () => {
    buildNative("native/build-tests", "-DLUTNN_TESTS=ON", "-DLUTNN_ADDON=OFF");
    run("ctest", ["--test-dir", "native/build-tests", "--output-on-failure", "--parallel", "2"]);
  },
  unit: () =>
    vitest(
      {},
      "test/kernel",
      "test/native",
      "test/structure",
      "test/extension",
      "--exclude",
      "**/browser.test.ts",
    ),
  protocol: () => vitest({}, "test/protocol"),
  notebook: () => {
    mkdirSync(at("out"), { recursive: true });
    node(at("kernel/bin/lutnn.js"), "run", `notebooks/${notebook}`);
    vitest({ LUTNN_EXECUTED_NOTEBOOK: at("out", notebook) }, "test/notebooks");
  },
  browser: () => vitest({ LUTNN_EXECUTED_NOTEBOOK: at("out", notebook) }, "test/extension/browser.test.ts"),
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
  try {
    suite();
  } catch (error) {
    failure = error;
    console.error(`=== ${name} failed: ${error.message}`);
  }
  results.push({ name, seconds: (performance.now() - start) / 1000, failure });
}

console.log("\nsuite       seconds");
for (const { name, seconds, failure } of results)
  console.log(`${name.padEnd(10)} ${seconds.toFixed(1).padStart(8)}  ${failure ? "FAILED" : "passed"}`);
const total = results.reduce((sum, { seconds }) => sum + seconds, 0);
console.log(`${"all".padEnd(10)} ${total.toFixed(1).padStart(8)}`);
process.exit(results.some(({ failure }) => failure) ? 1 : 0);
