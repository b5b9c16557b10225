// npm run check:mutants -- [--rooms pq,inference] [--each 40] [--seed 1] [--seconds 60] [--again]: plants small faults in the library, one at
// a time, and counts those that make a test fail. `--each` takes so many of a room, at random by the seed (0: all); a larger
// sample of the same seed contains the smaller one.
//
// It is quick because it runs no test in vain: V8 says once which tests come to which place (reach.mjs), and only those
// run, the quick ones first. The library holds all faults with switches, so that a process runs each test with one fault
// after the other (together.mjs); a fault counts as noticed where the test passes without it, before and afterwards. What is
// computed as a file is loaded cannot be switched: such a fault is planted by itself (plant.mjs). A fault that no test comes
// to has survived. One that makes a test take five times as long as alone, and two minutes more, is noticed by time.
//
// `--seconds` gives a fault up for a survivor after tests of so long, though further ones come to it: the share is then too
// low, if anything. It can be stopped and goes on where it was: results stand in out/mutants/journal.jsonl, and count as long
// as the source and the tests concerned are the same; `--again` tries survivors once more, which new tests ask for.
//
// It changes kernel/lib while it runs and puts it back: run nothing else in this checkout meanwhile. Survivors that no test
// can tell are in survivors.json, each with its reason; they are not in the sample.
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { faultsOf } from "./placesOf.mjs";
import { plant } from "./plant.mjs";
import { digest, filesUnder, measureReach, testsThatReach } from "./reach.mjs";
import { interval, shuffled } from "./sample.mjs";
import { plantTogether } from "./together.mjs";

const root = resolve(import.meta.dirname, "../../..");
const wanted = 0.8;

/** The tests that hold each room. */
const testsOf = {
  pq: ["pq"],
  tasks: ["tasks", "training"],
  layers: ["layers", "onnx", "networks"],
  onnx: ["onnx", "networks"],
  training: ["training"],
  conversion: ["conversion", "networks"],
  inference: ["inference"],
};

const { values } = parseArgs({
  options: {
    rooms: { type: "string", default: Object.keys(testsOf).join(",") },
    each: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
    seconds: { type: "string", default: "0" },
    again: { type: "boolean", default: false },
  },
});
const rooms = values.rooms.split(",");
const [each, seed, seconds] = [values.each, values.seed, values.seconds].map(Number);
const unknown = rooms.filter((room) => !testsOf[room]);
if (unknown.length > 0 || !Number.isInteger(each) || each < 0 || !Number.isInteger(seed) || !(seconds >= 0)) {
  console.error(
    `check:mutants: --rooms must be of ${Object.keys(testsOf).join(", ")}, --each, --seed and --seconds numbers (got ${JSON.stringify(values)})`,
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

/** Whether a result still says something: neither the fault's file nor the tests that decided have changed. */
const stillHolds = (entry, fault) =>
  entry?.files.every((file) => existsSync(join(root, file))) &&
  entry.digest === digest(textOf(`kernel/lib/${fault.library}`), ...entry.files.map(textOf)) &&
  !(values.again && entry.killedBy === null);

/** What tests of each file come to which of some faults, the quick tests of all files first. */
function partsOf(switched, reach) {
  const parts = [true, false].flatMap((isQuick) =>
    [...reach].map(([file, { tests }]) => {
      const milliseconds = Object.fromEntries(tests.map((one) => [one.name, one.milliseconds]));
      return { file, isQuick, tests: {}, milliseconds };
    }),
  );
  for (const { switchedBy, tries } of switched)
    for (const { file, isQuick, names } of tries) {
      const part = parts.find((one) => one.file === file && one.isQuick === isQuick);
      for (const name of names) {
        part.tests[name] ??= [];
        part.tests[name].push(switchedBy);
      }
    }
  const length = ({ tests, milliseconds }) =>
    Object.entries(tests).reduce((sum, [name, some]) => sum + milliseconds[name] * some.length, 0);
  return parts
    .filter(({ tests }) => Object.keys(tests).length > 0)
    .sort((a, b) => b.isQuick - a.isQuick || length(a) - length(b));
}

/**
 * Tries faults of a room and writes down what noticed each: together where tests alone come to them, and by themselves
 * where what runs outside of tests, as a file is loaded, comes to them.
 */
async function tryFaults(some, reach, note) {
  const start = performance.now();
  const found = new Map();
  const all = some.map((fault, switchedBy) => ({
    ...fault,
    switchedBy,
    tries: testsThatReach(fault, reach),
  }));
  const tell = (fault, killedBy) => {
    const files = [...new Set(fault.tries.map(({ file }) => file))].sort();
    const decisive = killedBy ? [killedBy.file] : files;
    const entry = {
      id: fault.id,
      room: fault.room,
      killedBy,
      reached: fault.tries.length > 0,
      files: decisive,
    };
    entry.digest = digest(textOf(`kernel/lib/${fault.library}`), ...decisive.map(textOf));
    entry.seconds = Math.round((performance.now() - start) / 1000);
    found.set(fault, entry);
    note(entry);
  };
  const isOutside = ({ library, number }, file) => reach.get(file).outside[library]?.includes(number);
  const switched = all.map((fault) => ({
    ...fault,
    tries: fault.tries.filter(({ file }) => fault.canSwitch && !isOutside(fault, file)),
  }));
  const left = all.map(() => (seconds > 0 ? 1000 * seconds : Number.MAX_VALUE));
  const untried = await plantTogether(
    root,
    switched.filter(({ tries }) => tries.length > 0),
    partsOf(switched, reach),
    left,
    (number, killedBy) => tell(all[number], killedBy),
  );
  for (const fault of all.filter((one) => !found.has(one))) {
    const tries = fault.tries.flatMap((one) => {
      const isAlone = !fault.canSwitch || isOutside(fault, one.file);
      const names = one.names.filter(
        (name) =>
          isAlone ||
          untried.some(
            ({ file, test, fault: number }) =>
              file === one.file && test === name && number === fault.switchedBy,
          ),
      );
      return names.length > 0 ? [{ ...one, names }] : [];
    });
    tell(fault, await plant(root, fault, tries, seconds));
  }
}

const faults = faultsOf(root, Object.keys(testsOf));
const places = {};
for (const fault of [...faults.values()].flat()) {
  places[fault.library] ??= [];
  places[fault.library][fault.number] = fault.at;
}
const testFiles = (room) =>
  testsOf[room].flatMap((folder) =>
    filesUnder(join(root, "test/kernel", folder), ".test.ts").map((file) => relative(root, file)),
  );
const reach = measureReach(root, [...new Set(rooms.flatMap(testFiles))], places);

const results = [];
for (const room of rooms) {
  const all = faults.get(room);
  const tellable = shuffled(all, seed).filter(({ id }) => !untellable[id]);
  const chosen = tellable.slice(0, each === 0 ? tellable.length : each);
  const own = new Map(testFiles(room).map((file) => [file, reach.get(file)]));
  const counts = { killed: 0, byTime: 0, unreached: 0 };
  const open = chosen.filter((fault) => !stillHolds(known.get(fault.id), fault));
  let tried = 0;
  await tryFaults(open, own, (entry) => {
    known.set(entry.id, entry);
    appendFileSync(journal, `${JSON.stringify(entry)}\n`);
    if (++tried % 10 === 0) console.log(`${room}: ${tried} of ${open.length} tried`);
  });
  for (const fault of chosen) {
    const entry = known.get(fault.id);
    if (entry.killedBy) counts.killed++;
    else
      console.log(
        `survived  ${fault.path}:${fault.line}${entry.reached ? "" : " (no test comes here)"}\n          ${fault.id}`,
      );
    if (entry.killedBy?.test === null) counts.byTime++;
    if (!entry.reached) counts.unreached++;
  }
  results.push({
    room,
    ...counts,
    tried: chosen.length,
    all: all.length,
    excused: all.length - tellable.length,
  });
}

const columns = ["room", "faults", "excused", "tried", "killed", "by time", "no test", "share", "95 %"];
console.log(`\n${columns.map((column, i) => (i === 0 ? column.padEnd(10) : column.padStart(8))).join("")}`);
for (const { room, all, excused, tried, killed, byTime, unreached } of results) {
  const percent = (share) => `${Math.round(100 * share)} %`;
  const [low, high] = interval(killed, tried);
  const cells = [all, excused, tried, killed, byTime, unreached, percent(killed / tried)];
  console.log(
    `${room.padEnd(10)}${cells.map((cell) => String(cell).padStart(8)).join("")}  ${percent(low)} to ${percent(high)}`,
  );
}
console.log(`seed ${seed}; by time: endless or too long; no test: no test comes to the fault`);
const low = results.filter(({ killed, tried }) => killed < wanted * tried);
if (low.length > 0) {
  console.error(
    `check:mutants: at least ${100 * wanted} % must be killed (${low.map(({ room }) => room).join(", ")} below)`,
  );
  process.exit(1);
}
