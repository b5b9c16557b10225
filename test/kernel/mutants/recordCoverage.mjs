// A set-up file of Vitest: writes down which planted faults each test of a file would have run into. A fault is a place in
// the compiled library; whether a test comes there is what V8 counts, block by block. What runs outside of the tests
// themselves (imports, hooks) belongs to all of them.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach } from "vitest";

const { LUTNN_COVERAGE_OF, LUTNN_COVERAGE_TO } = process.env;
/** By path below kernel/lib: the places of its faults, in ascending order. */
const places = JSON.parse(readFileSync(LUTNN_COVERAGE_OF, "utf8"));

/** Children of tests write what they ran here, as they end. */
const fromChildren = mkdtempSync(join(tmpdir(), "lutnn-coverage-"));
process.env.NODE_V8_COVERAGE = fromChildren;

const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

/** What the session answers: it is in this thread, so that it answers at once. */
function ask(method, params) {
  let answer;
  session.post(method, params, (error, given) => {
    if (error) throw new Error(`${method}: ${error.message}`);
    answer = given;
  });
  return answer;
}

const pathOf = (url) => url.match(/\/kernel\/lib\/(.*\.js)$/)?.[1];
/** The places that ran: V8's ranges nest, and the innermost one says how often. */
function ranIn(functions, at) {
  const ranges = functions.flatMap((one) => one.ranges).sort((a, b) => a.startOffset - b.startOffset);
  return at.flatMap((place, i) => {
    let innermost = null;
    for (const range of ranges) {
      if (range.startOffset > place) break;
      if (range.endOffset <= place) continue;
      if (!innermost || range.endOffset - range.startOffset <= innermost.endOffset - innermost.startOffset)
        innermost = range;
    }
    return innermost?.count > 0 ? [i] : [];
  });
}

function add(to, path, found) {
  if (found.length > 0) to[path] = [...new Set([...(to[path] ?? []), ...found])].sort((a, b) => a - b);
}

/** What a file holds; null for one that was cut off: a test gives a child no room to write. */
function wholeJson(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return null;
  }
}

/** What has run since the last time, here and in children that have ended. */
function take() {
  const covered = {};
  for (const script of ask("Profiler.takePreciseCoverage").result) {
    const path = pathOf(script.url);
    if (places[path]) add(covered, path, ranIn(script.functions, places[path]));
  }
  for (const name of readdirSync(fromChildren)) {
    const file = join(fromChildren, name);
    for (const { url, functions } of wholeJson(file)?.result ?? []) {
      const path = pathOf(url);
      if (places[path]) add(covered, path, ranIn(functions, places[path]));
    }
    rmSync(file);
  }
  return covered;
}

const outside = {};
const tests = [];
function takeOutside() {
  for (const [path, found] of Object.entries(take())) add(outside, path, found);
}
const fullName = ({ name, suite }) => (suite ? `${fullName(suite)} ${name}` : name);

let file = null;
let start = 0;
let haveAllPassed = true;
beforeEach(() => {
  takeOutside();
  start = performance.now();
});
afterEach(({ task }) => {
  file = task.file.filepath;
  if (task.result.state === "fail") haveAllPassed = false;
  const milliseconds = Math.round(performance.now() - start);
  tests.push({ name: fullName(task), milliseconds, covered: take() });
});
afterAll(() => {
  takeOutside();
  rmSync(fromChildren, { recursive: true });
  if (!file || !haveAllPassed) return; // or every test was skipped
  const to = join(LUTNN_COVERAGE_TO, `${encodeURIComponent(file)}.json`);
  writeFileSync(to, JSON.stringify({ outside, tests }));
});
