// Makes a checkout ready: node kernel/install/setup.mjs [--test]
// Plain Node without dependencies; run it as often as you like. Finished steps are skipped, an interrupted one runs
// again, a changed input redoes only its own step; two at once take turns. Writes only inside the checkout.
import { missing } from "./prerequisites.mjs";
import { isDone, runStep } from "./step.mjs";
import { steps } from "./steps.mjs";
import { inTurn } from "./turn.mjs";

const forTests = process.argv.includes("--test");
/** Steps that nobody needs but the tests. */
const ofTests = ["pythonTests", "fetched"];
const chosen = Object.entries(steps)
  .filter(([key]) => forTests || !ofTests.includes(key))
  .map(([, step]) => step);

const start = performance.now();

function makeReady() {
  const pending = chosen.filter((step) => !isDone(step));
  const absent = missing(["node", ...pending.flatMap((step) => step.needs)]);
  if (absent.length > 0) throw new Error(absent.map((sentence) => `set-up: ${sentence}`).join("\nlutnn "));
  // A step may be undone by an earlier one (npm ci removes what was built inside node_modules): ask again each time.
  for (const step of chosen) if (!isDone(step)) runStep(step);
}

const wasReady = chosen.every(isDone) && missing(["node"]).length === 0;
try {
  if (!wasReady)
    await inTurn(makeReady, () =>
      console.log("Another process sets this checkout up; waiting until it has finished."),
    );
} catch (error) {
  console.error(`lutnn ${error.message}`);
  process.exit(1);
}
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(wasReady ? `Set-up: up to date (${seconds} s).` : `Set-up ready in ${seconds} s.`);
