// npm run check:mutants -- [--rooms pq,inference] [--each 40] [--seed 1] [--seconds 60] [--files 8] [--tests test/kernel/pq] [--again]:
// plants small faults in the library and in the extension, one at a time, and counts those that make a test fail. A room is a
// folder of kernel/src, or `extension` (rooms.mjs). `--each` takes so many of a room, at random by the seed (0: all); a larger
// sample of the same seed contains the smaller one.
//
// It is quick because it runs no test in vain: every test file is run once with a library that notes down which faults each
// test comes to (reach.mjs), and only those run, quick ones first, and those that come to few faults before those that come to
// many. The library holds all faults with switches, so that a process runs each test with one fault after the other
// (together.mjs); a fault counts as noticed where the test passes without it, before and afterwards. What runs as a file is
// loaded, or in a process that outlives a test, cannot be switched: such a fault is planted by itself (plant.mjs).
//
// A fault that no test comes to has survived ("no test"). One that makes a test take five times as long as alone, and 45 s
// (two minutes where it is planted by itself) more, is noticed ("by time"). `--seconds` gives a fault up for a survivor after tests of so long, `--files` (0: all)
// after so many test files, though further ones come to it ("cut"), and `--tests` leaves out test files whose paths begin
// otherwise: the share is then too low, if anything. Of the extension, files that no test of Node runs are not in the
// sample: browser tests are theirs, and what share of the lines that is stands below the table.
//
// It can be stopped and goes on where it was: results stand in out/mutants/journal.jsonl, and count as long as the source and
// the tests concerned are the same and no other test comes to a survivor; `--again` tries survivors once more.
//
// It changes kernel/lib while it runs and puts it back: run nothing else in this checkout meanwhile. Survivors that no test
// can tell are in survivors.json, each with its reason; they are not in the sample.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { faultsOf } from "./faultsOf.mjs";
import { digest, isRunBy, measureReach, testsThatReach } from "./reach.mjs";
import { filesOfRooms, testFiles } from "./rooms.mjs";
import { interval, shuffled } from "./sample.mjs";
import { tryFaults } from "./tryFaults.mjs";

const root = resolve(import.meta.dirname, "../../..");
const wanted = 0.85;
const all = filesOfRooms(root);

const { values } = parseArgs({
  options: {
    rooms: { type: "string", default: [...all.keys()].join(",") },
    each: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    seconds: { type: "string", default: "0" },
    files: { type: "string", default: "8" },
    tests: { type: "string", default: "" },
    again: { type: "boolean", default: false },
  },
});
const rooms = values.rooms.split(",");
const [each, seed, seconds, files] = [values.each, values.seed, values.seconds, values.files].map(Number);
const beginnings = values.tests.split(",");
const tests = testFiles(root).filter((file) => beginnings.some((beginning) => file.startsWith(beginning)));
const areCounts = [each, seed, files].every((value) => Number.isInteger(value) && value >= 0);
if (!rooms.every((room) => all.has(room)) || !areCounts || !(seconds >= 0) || tests.length === 0) {
  console.error(
    `check:mutants: --rooms must be of ${[...all.keys()].join(", ")}, --each, --seed, --seconds and --files numbers from 0, --tests beginnings of test files' paths (got ${JSON.stringify(values)})`,
  );
  process.exit(2);
}

mkdirSync(join(root, "out/mutants"), { recursive: true });
const journal = join(root, "out/mutants/journal.jsonl");
/** Results of before by fault, the last one of each. */
const known = new Map(
  existsSync(journal)
    ? readFileSync(journal, "utf8")
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line))
        .map((entry) => [entry.id, entry])
    : [],
);
const untellable = JSON.parse(readFileSync(join(import.meta.dirname, "survivors.json"), "utf8"));
const textOf = (file) => readFileSync(join(root, file), "utf8");
const digestOf = (fault, decisive) => digest(textOf(fault.source), ...decisive.map(textOf));

/** Whether a result still says something: its file and the tests that decided are the same, and no other test comes to a survivor. */
const stillHolds = (entry, fault) =>
  entry?.files.every((file) => existsSync(join(root, file))) &&
  entry.digest === digestOf(fault, entry.files) &&
  (entry.killedBy !== null || (!values.again && fault.tries.every(({ file }) => entry.files.includes(file))));

/** The tests that a fault is tried with: of so many files that come to it, and as many as take `--seconds` together. */
function triesOf(fault, reach) {
  const tries = testsThatReach(fault, reach);
  const first = [...new Set(tries.map(({ file }) => file))].slice(0, files === 0 ? tries.length : files);
  let left = seconds === 0 ? Number.POSITIVE_INFINITY : 1000 * seconds;
  const some = tries
    .filter(({ file }) => first.includes(file))
    .map((one) => {
      const milliseconds = new Map(reach.get(one.file).tests.map((test) => [test.name, test.milliseconds]));
      const names = one.names.filter((name) => {
        left -= milliseconds.get(name);
        return left >= 0;
      });
      return { ...one, names };
    })
    .filter(({ names }) => names.length > 0);
  const count = (parts) => parts.reduce((sum, { names }) => sum + names.length, 0);
  return { tries: some, isReached: tries.length > 0, hasMore: count(some) < count(tries) };
}

const unmeasured = [];
const everyFile = [...all.values()].flat();
const reach = await measureReach(
  root,
  tests,
  everyFile,
  (some) => faultsOf(root, some),
  (what) => unmeasured.push(what),
);

const results = [];
const browsers = [];
for (const room of rooms) {
  const isRun = (file) => file.library !== null || isRunBy(file, reach);
  const inBrowsers = all.get(room).filter((file) => !isRun(file));
  if (inBrowsers.length > 0) browsers.push({ room, files: inBrowsers });
  const inNode = faultsOf(root, all.get(room).filter(isRun));
  const tellable = shuffled(inNode, seed).filter(({ id }) => !untellable[id]);
  const chosen = tellable
    .slice(0, each === 0 ? tellable.length : each)
    .map((fault) => ({ ...fault, ...triesOf(fault, reach) }));
  const open = chosen.filter((fault) => !stillHolds(known.get(fault.id), fault));
  const start = performance.now();
  let tried = 0;
  await tryFaults(root, open, reach, seconds, (fault, killedBy, wasCut) => {
    const decisive = killedBy ? [killedBy.file] : [...new Set(fault.tries.map(({ file }) => file))].sort();
    const entry = {
      id: fault.id,
      room,
      killedBy,
      reached: fault.isReached,
      isCut: killedBy === null && (wasCut || fault.hasMore),
      files: decisive,
      digest: digestOf(fault, decisive),
      seconds: Math.round((performance.now() - start) / 1000),
    };
    known.set(entry.id, entry);
    appendFileSync(journal, `${JSON.stringify(entry)}\n`);
    if (++tried % 10 === 0) console.log(`${room}: ${tried} of ${open.length} tried`);
  });
  const counts = { killed: 0, byTime: 0, unreached: 0, cut: 0 };
  for (const { id, path, line } of chosen) {
    const { killedBy, reached, isCut } = known.get(id);
    if (killedBy) counts.killed++;
    if (killedBy?.test === null) counts.byTime++;
    if (!reached) counts.unreached++;
    if (isCut) counts.cut++;
    const why = reached ? (isCut ? " (further tests come here)" : "") : " (no test comes here)";
    if (!killedBy) console.log(`survived  ${path}:${line}${why}\n          ${id}`);
  }
  results.push({
    room,
    ...counts,
    tried: chosen.length,
    all: inNode.length,
    excused: inNode.length - tellable.length,
  });
}

const columns = [
  "room",
  "faults",
  "excused",
  "tried",
  "noticed",
  "by time",
  "no test",
  "cut",
  "share",
  "95 %",
];
console.log(`\n${columns.map((column, i) => (i === 0 ? column.padEnd(12) : column.padStart(8))).join("")}`);
for (const { room, all, excused, tried, killed, byTime, unreached, cut } of results) {
  const percent = (share) => `${Math.round(100 * share)} %`;
  const [low, high] = interval(killed, tried);
  const cells = [all, excused, tried, killed, byTime, unreached, cut, percent(killed / tried)];
  console.log(
    `${room.padEnd(12)}${cells.map((cell) => String(cell).padStart(8)).join("")}  ${percent(low)} to ${percent(high)}`,
  );
}
console.log(
  `seed ${seed}; by time: endless or too long, counted as noticed; no test: no test comes to the fault; cut: not every test that does was run`,
);
const linesOf = (some) => some.reduce((sum, { source }) => sum + textOf(source).split("\n").length - 1, 0);
for (const { room, files } of browsers)
  console.log(
    `${room}: ${files.length} of ${all.get(room).length} files (${Math.round((100 * linesOf(files)) / linesOf(all.get(room)))} % of the lines) are run by browser tests alone, and not in the sample`,
  );
for (const what of unmeasured) console.log(`not used: ${what}`);
const low = results.filter(({ killed, tried }) => killed < wanted * tried);
if (low.length > 0) {
  console.error(
    `check:mutants: at least ${100 * wanted} % must be noticed (${low.map(({ room }) => room).join(", ")} below)`,
  );
  process.exit(1);
}
