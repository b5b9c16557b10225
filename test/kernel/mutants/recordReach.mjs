// A set-up file of Vitest: writes down which faults each test of a file comes to. The library is instrumented meanwhile: it
// says the number of each fault as it comes there, in threads and children by way of files (reached.cjs).
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect } from "vitest";

const { LUTNN_REACH_RECORDS } = process.env;
const fromOthers = mkdtempSync(join(tmpdir(), "lutnn-reach-"));
process.env.LUTNN_REACH_TO = fromOthers;

const loaded = new Set();
/** By file: for each number whether it was come to since the last time. */
const been = new Map();
globalThis.lutnnReachOf = (path, count) => {
  loaded.add(path);
  if (!been.has(path)) been.set(path, new Uint8Array(count));
  const here = been.get(path);
  return (number) => {
    here[number] = 1;
  };
};

function add(to, path, numbers) {
  if (numbers.length > 0) to[path] = [...new Set([...(to[path] ?? []), ...numbers])].sort((a, b) => a - b);
}

/** What this thread has come to since the last time. */
function takeOwn(to) {
  for (const [path, here] of been) {
    add(
      to,
      path,
      [...here.keys()].filter((number) => here[number]),
    );
    here.fill(0);
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** How much of each file of threads and children has been read. */
const read = new Map();
/** What threads and children have come to since the last time: of those that came and went meanwhile, and of others. */
function takeOthers(brief, lasting) {
  for (const name of readdirSync(fromOthers)) {
    const file = join(fromOthers, name);
    const isOver = !isAlive(Number(name.split("-")[0]));
    const isBrief = isOver && !read.has(name);
    const text = readFileSync(file, "utf8");
    const whole = text.slice(read.get(name) ?? 0, text.lastIndexOf("\n") + 1);
    read.set(name, (read.get(name) ?? 0) + whole.length);
    for (const line of whole.split("\n").filter(Boolean)) {
      const [path, number] = line.split("\t");
      loaded.add(path);
      if (number !== "-1") add(isBrief ? brief : lasting, path, [Number(number)]);
    }
    if (!isOver) continue;
    rmSync(file);
    read.delete(name);
  }
}

/** What runs as files are loaded and in hooks; what threads and children do that outlive a test. */
const [outside, lasting] = [{}, {}];
const [tests, failed] = [[], []];
const fullName = ({ name, suite }) => (suite ? `${fullName(suite)} ${name}` : name);

let start = 0;
beforeEach(() => {
  takeOwn(outside);
  takeOthers(lasting, lasting);
  start = performance.now();
});
afterEach(({ task }) => {
  const covered = {};
  const milliseconds = Math.round(performance.now() - start);
  takeOwn(covered);
  takeOthers(covered, lasting);
  if (task.result.state === "fail") failed.push(fullName(task));
  else tests.push({ name: fullName(task), milliseconds, covered });
});
afterAll(() => {
  takeOwn(outside);
  takeOthers(lasting, lasting);
  rmSync(fromOthers, { recursive: true, force: true });
  mkdirSync(LUTNN_REACH_RECORDS, { recursive: true });
  writeFileSync(
    join(LUTNN_REACH_RECORDS, `${encodeURIComponent(expect.getState().testPath)}.json`),
    JSON.stringify({ loaded: [...loaded], outside, lasting, tests, failed }),
  );
});
