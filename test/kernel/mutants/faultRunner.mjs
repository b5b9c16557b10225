// A runner of Vitest that runs each test with one fault after the other: without any first, then with each that the test
// comes to, and once more without after each that made it fail. So a fault is noticed only where the test passes before
// and afterwards; where it does not, something was left behind and the process is of no more use.
import { appendFileSync, readFileSync } from "node:fs";
import { TestRunner } from "vitest";

const { LUTNN_FAULTS } = process.env;
/** `tests`: numbers of faults by a test's full name; `left`: milliseconds that each may still take; `log`: where to write. */
const { tests, left, log } = JSON.parse(readFileSync(LUTNN_FAULTS, "utf8"));
const tell = (line) => appendFileSync(log, `${JSON.stringify(line)}\n`);
const fullName = ({ name, suite }) => (suite ? `${fullName(suite)} ${name}` : name);

const [clean, idle] = [-1, -2];
const noticed = new Set();
let isSpoilt = false;

export default class FaultRunner extends TestRunner {
  async onBeforeRunTask(test) {
    await super.onBeforeRunTask(test);
    this.test = fullName(test);
    this.waiting = (tests[this.test] ?? []).filter((fault) => !noticed.has(fault));
    this.suspect = null;
    this.mustBeClean = true;
    if (isSpoilt || this.waiting.length === 0) test.mode = "skip";
    test.repeats = 2 * this.waiting.length;
  }

  nextFault() {
    if (isSpoilt) return idle;
    if (this.mustBeClean) return clean;
    while (this.waiting.length > 0) {
      const fault = this.waiting.shift();
      if (left[fault] > 0) return fault;
    }
    return idle;
  }

  onBeforeTryTask(test) {
    super.onBeforeTryTask(test);
    this.fault = this.nextFault();
    globalThis.lutnnFault = this.fault;
    process.env.LUTNN_FAULT = String(this.fault);
    this.start = performance.now();
    if (this.fault !== idle) tell({ what: "tried", test: this.test, fault: this.fault });
  }

  async runTask(test) {
    if (this.fault !== idle) await TestRunner.getTestFn(test)();
  }

  onAfterRetryTask(test) {
    const { fault } = this;
    globalThis.lutnnFault = clean;
    process.env.LUTNN_FAULT = String(clean);
    const failure = test.result.state === "fail" ? (test.result.errors?.[0]?.message ?? "failed") : null;
    Object.assign(test.result, { state: "pass", errors: undefined });
    const milliseconds = performance.now() - this.start;
    const about = { test: this.test, message: failure };
    if (fault === clean) {
      this.mustBeClean = false;
      if (failure) {
        isSpoilt = true;
        tell({ what: "spoilt", ...about, fault: this.suspect ?? clean });
      } else if (this.suspect !== null) {
        noticed.add(this.suspect);
        tell({ what: "noticed", test: this.test, fault: this.suspect, message: this.message });
      }
      this.suspect = null;
    } else if (fault !== idle && failure) {
      const isLate = /timed out in/.test(failure);
      if (isLate) {
        isSpoilt = true; // what was begun goes on
        tell({ what: "late", ...about, fault });
      } else [this.suspect, this.message, this.mustBeClean] = [fault, failure, true];
    } else if (fault !== idle) {
      left[fault] -= milliseconds;
      tell({ what: "unnoticed", ...about, fault, milliseconds });
    }
  }
}
