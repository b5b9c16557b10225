// npm run check:mutants -- [--rooms pq,inference] [--each 40] [--seed 1] [--seconds 60] [--again]: plants small faults in the library, one at
// a time, and counts those that make a test fail. `--each` takes so many of a room, at random by the seed (0: all); a larger
// sample of the same seed contains the smaller one.
//
// It is quick because it runs no test in vain: V8 says once which tests come to which place (reach.mjs), and only those
// run, the quick ones of the nearest file first, up to the first that fails. A fault that no test comes to has survived.
// `--seconds` gives a fault up for a survivor after so long, though further tests come to it: the share is then too low, if
// anything. It can be stopped and goes on where it was: results stand in out/mutants/journal.jsonl, and count as long as the source
// and the tests concerned are the same; `--again` tries survivors once more all the same.
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

/** Tries one fault: what killed it, null for a survivor; and the test files that decided. */
async function tryFault(fault, reach) {
  const tries = testsThatReach(fault, reach);
  const files = new Set(tries.map(({ file }) => file));
  const killedBy = await plant(root, fault, tries, seconds);
  const decisive = killedBy ? [killedBy.file] : [...files].sort();
  return {
    killedBy,
    reached: tries.length > 0,
    files: decisive,
    digest: digest(textOf(`kernel/lib/${fault.library}`), ...decisive.map(textOf)),
  };
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
  const open = shuffled(all, seed).filter(({ id }) => !untellable[id]);
  const chosen = open.slice(0, each === 0 ? open.length : each);
  const own = new Map(testFiles(room).map((file) => [file, reach.get(file)]));
  const counts = { killed: 0, byTime: 0, unreached: 0 };
  for (const [i, fault] of chosen.entries()) {
    let entry = known.get(fault.id);
    if (!stillHolds(entry, fault)) {
      const start = performance.now();
      entry = { id: fault.id, room, ...(await tryFault(fault, own)) };
      entry.seconds = Math.round((performance.now() - start) / 1000);
      appendFileSync(journal, `${JSON.stringify(entry)}\n`);
    }
    if (entry.killedBy) counts.killed++;
    else
      console.log(
        `survived  ${fault.path}:${fault.line}${entry.reached ? "" : " (no test comes here)"}\n          ${fault.id}`,
      );
    if (entry.killedBy?.test === null) counts.byTime++;
    if (!entry.reached) counts.unreached++;
    if ((i + 1) % 10 === 0)
      console.log(`${room}: ${counts.killed} of ${i + 1} killed (${chosen.length} to try)`);
  }
  results.push({ room, ...counts, tried: chosen.length, all: all.length, excused: all.length - open.length });
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
