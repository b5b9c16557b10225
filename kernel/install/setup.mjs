// Makes a checkout ready: node kernel/install/setup.mjs [--test]
// Plain Node without dependencies; run it as often as you like. Finished steps are skipped, an interrupted one runs
// again, a changed input redoes only its own step. Writes only inside the checkout.
import { missing } from "./prerequisites.mjs";
import { isDone, runStep } from "./step.mjs";
import { steps } from "./steps.mjs";

const forTests = process.argv.includes("--test");
const chosen = Object.entries(steps)
  .filter(([key]) => forTests || key !== "pythonTests")
  .map(([, step]) => step);

const start = performance.now();
const pending = chosen.filter((step) => !isDone(step));
const absent = missing(["node", ...pending.flatMap((step) => step.needs)]);
if (absent.length > 0) {
  for (const sentence of absent) console.error(`lutnn set-up: ${sentence}`);
  process.exit(1);
}
try {
  // A step may be undone by an earlier one (npm ci removes what was built inside node_modules): ask again each time.
  for (const step of chosen) if (!isDone(step)) runStep(step);
} catch (error) {
  console.error(`lutnn: ${error.message}`);
  process.exit(1);
}
const seconds = ((performance.now() - start) / 1000).toFixed(1);
console.log(pending.length > 0 ? `Set-up ready in ${seconds} s.` : `Set-up: up to date (${seconds} s).`);
