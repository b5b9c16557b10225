// npm run check:mutants -- [--rooms pq,inference] [--each 40] [--seed 1]: plants small faults in the library, one at a time,
// and counts those that make a test of the room fail. `--each` takes so many of a room, at random by the seed (0: all).
// It changes kernel/lib while it runs and puts it back: run nothing else in this checkout meanwhile. Survivors that no test
// can tell are in survivors.json, each with its reason; they do not count.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { compiled, findMutants } from "./mutate.mjs";

const root = resolve(import.meta.dirname, "../../..");
const wanted = 0.8;

/** The tests that hold each room. */
const testsOf = {
  pq: ["test/kernel/pq"],
  tasks: ["test/kernel/tasks"],
  layers: ["test/kernel/layers", "test/kernel/onnx"],
  onnx: ["test/kernel/onnx"],
  training: ["test/kernel/training"],
  conversion: ["test/kernel/conversion"],
  inference: ["test/kernel/inference"],
};

const { values } = parseArgs({
  options: {
    rooms: { type: "string", default: Object.keys(testsOf).join(",") },
    each: { type: "string", default: "0" },
    seed: { type: "string", default: "1" },
  },
});
const rooms = values.rooms.split(",");
const [each, seed] = [values.each, values.seed].map(Number);
const unknown = rooms.filter((room) => !testsOf[room]);
if (unknown.length > 0 || !Number.isInteger(each) || each < 0 || !Number.isInteger(seed)) {
  console.error(
    `check:mutants: --rooms must be of ${Object.keys(testsOf).join(", ")}, --each and --seed whole numbers (got ${JSON.stringify(values)})`,
  );
  process.exit(2);
}
const known = JSON.parse(readFileSync(join(import.meta.dirname, "survivors.json"), "utf8"));

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return filesUnder(join(folder, entry.name));
    return entry.name.endsWith(".ts") && !entry.name.endsWith("_pb.ts") ? [join(folder, entry.name)] : [];
  });
}

/** Numbers in [0, 1) that follow from a seed (mulberry32). */
function randomFrom(start) {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function mutantsOf(room) {
  const source = join(root, "kernel/src");
  const all = filesUnder(join(source, room)).flatMap((file) =>
    findMutants(relative(source, file), readFileSync(file, "utf8")),
  );
  const open = all.filter(({ id }) => !known[id]);
  if (each === 0 || open.length <= each) return { all, chosen: open };
  const random = randomFrom(seed);
  const shuffled = open.map((mutant) => ({ mutant, at: random() })).sort((a, b) => a.at - b.at);
  return { all, chosen: shuffled.slice(0, each).map(({ mutant }) => mutant) };
}

/** Runs a room's tests up to the first failure: true when they pass. */
function passes(room, seconds) {
  const { status } = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/vitest/vitest.mjs"),
      ...["run", "--config", "test/vitest.config.mjs", "--bail", "1"],
      ...testsOf[room],
    ],
    { cwd: root, stdio: "ignore", timeout: seconds * 1000, killSignal: "SIGKILL" },
  );
  return status === 0;
}

let undo = () => {};
for (const signal of ["SIGINT", "SIGTERM"])
  process.on(signal, () => {
    undo();
    process.exit(130);
  });

const results = [];
for (const room of rooms) {
  const { all, chosen } = mutantsOf(room);
  const start = performance.now();
  if (!passes(room, 3600)) {
    console.error(`check:mutants: the tests of ${room} must pass before faults are planted; run them`);
    process.exit(1);
  }
  const limit = Math.ceil(10 + (5 * (performance.now() - start)) / 1000); // a fault may also make a loop endless
  let killed = 0;
  for (const [i, { path, id, line, code }] of chosen.entries()) {
    const target = join(root, "kernel/lib", path.replace(/\.ts$/, ".js"));
    const right = readFileSync(target);
    undo = () => writeFileSync(target, right);
    try {
      writeFileSync(target, compiled(code));
      if (passes(room, limit)) console.log(`survived  ${path}:${line}\n          ${id}`);
      else killed++;
    } finally {
      undo();
    }
    if ((i + 1) % 10 === 0) console.log(`${room}: ${killed} of ${i + 1} killed (${chosen.length} to try)`);
  }
  results.push({ room, killed, tried: chosen.length, all: all.length });
}

console.log("\nroom        killed  tried  share  faults in all");
for (const { room, killed, tried, all } of results)
  console.log(
    `${room.padEnd(10)} ${String(killed).padStart(7)} ${String(tried).padStart(6)} ${`${Math.round((100 * killed) / tried)} %`.padStart(6)} ${String(all).padStart(14)}`,
  );
const low = results.filter(({ killed, tried }) => killed < wanted * tried);
if (low.length > 0) {
  console.error(
    `check:mutants: at least ${100 * wanted} % must be killed (${low.map(({ room }) => room).join(", ")} below)`,
  );
  process.exit(1);
}
