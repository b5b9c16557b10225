// Which tests come to which faults: every test file is run once with a library that notes it down (withNotes), and what it
// wrote is kept in out/mutants.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { compiled, withNotes } from "./mutate.mjs";
import { untilStopped, vitest, withTexts } from "./running.mjs";

/** A digest of texts. */
export const digest = (...texts) =>
  createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 16);

/** Files whose names end so, under folders. */
export function filesUnder(folder, ending) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return filesUnder(join(folder, entry.name), ending);
    return entry.name.endsWith(ending) ? [join(folder, entry.name)] : [];
  });
}

/** A test longer than this is tried after the quick ones of all files. */
const quickMilliseconds = 1500;

/** How many test files are measured by one process of Vitest. */
const filesAtOnce = 10;

/** Faults by their file, in their order. */
export function faultsByPath(faults) {
  const all = new Map();
  for (const fault of faults) {
    if (!all.has(fault.path)) all.set(fault.path, []);
    all.get(fault.path).push(fault);
  }
  return all;
}

/**
 * Measures which faults the tests come to, where that is not known yet: a record holds as long as the test file and every
 * file of the library that its tests run are the same, so that a stopped measurement goes on and a change asks for little.
 * @param files all in which faults are planted, as `filesOfRooms` gives them
 * @param makeFaults gives all faults of some of them
 * @param note told of test files that could not be measured, and of tests that failed: they say nothing about faults
 * @returns by test file: what runs outside of its tests, what outlives them, and each test with its milliseconds and faults
 */
export async function measureReach(root, testFiles, files, makeFaults, note) {
  const folder = join(root, "out/mutants");
  const records = join(folder, "reach");
  mkdirSync(records, { recursive: true });
  const textOf = (file) => readFileSync(join(root, file), "utf8");
  const rules = ["mutate.mjs", "recordReach.mjs", "reached.cjs"].map((name) =>
    textOf(`test/kernel/mutants/${name}`),
  );
  const digests = new Map(files.map(({ path, source }) => [path, digest(textOf(source), ...rules)]));
  const kept = (file) => join(records, `${encodeURIComponent(file)}.json`);
  const recordOf = (file) => {
    if (!existsSync(kept(file))) return null;
    const record = JSON.parse(readFileSync(kept(file), "utf8"));
    const isSame = (path) => record.library[path] === digests.get(path);
    const run = [record.lasting, ...record.tests.map(({ covered }) => covered)];
    if (record.test !== digest(textOf(file)) || !run.every((covered) => Object.keys(covered).every(isSame)))
      return null;
    // What is loaded and not run may change: only which of its faults lie in what runs at once is not known then.
    for (const path of Object.keys(record.outside)) if (!isSame(path)) delete record.outside[path];
    return record;
  };
  const known = new Map(testFiles.map((file) => [file, recordOf(file)]));
  const unknown = testFiles.filter((file) => !known.get(file));
  if (unknown.length > 0) {
    console.log(`check:mutants: what ${unknown.length} test files come to is measured`);
    const written = join(folder, "written");
    rmSync(written, { recursive: true, force: true });
    const keep = (status) => {
      for (const file of unknown) {
        const from = join(written, `${encodeURIComponent(join(root, file))}.json`);
        if (!existsSync(from)) continue;
        const { loaded, ...record } = JSON.parse(readFileSync(from, "utf8"));
        if (status !== 0 && record.tests.length === 0) continue; // what comes before its tests has failed
        const library = Object.fromEntries(loaded.map((path) => [path, digests.get(path)]));
        writeFileSync(kept(file), JSON.stringify({ test: digest(textOf(file)), library, ...record }));
        rmSync(from);
        known.set(file, recordOf(file));
      }
    };
    const texts = notedTexts(root, files, digests, makeFaults);
    await withTexts(root, texts, null, async (env) => {
      const options = ["--config", "test/kernel/mutants/reach.config.mjs", "--silent=true"];
      for (let i = 0; i < unknown.length; i += filesAtOnce) {
        const some = unknown.slice(i, i + filesAtOnce);
        const start = () =>
          vitest(root, [...some, ...options], null, { ...env, LUTNN_REACH_RECORDS: written });
        keep(await untilStopped(keep, start));
        console.log(
          `check:mutants: ${Math.min(i + filesAtOnce, unknown.length)} of ${unknown.length} measured`,
        );
      }
    });
  }
  for (const [file, record] of known) {
    if (!record) note(`${file} wrote nothing down: all of its tests were skipped, or it broke off`);
    else if (record.failed.length > 0) note(`${file}: ${record.failed.join("; ")}: failed without faults`);
  }
  return new Map([...known].filter(([, record]) => record));
}

/**
 * What each file says where it notes down what is come to: of the library JavaScript, else TypeScript. It is kept, as most files
 * stay the same from run to run.
 */
function notedTexts(root, files, digests, makeFaults) {
  const folder = join(root, "out/mutants/noted");
  mkdirSync(folder, { recursive: true });
  const noter = `globalThis.lutnnReachOf ?? require(${JSON.stringify(join(import.meta.dirname, "reached.cjs"))})`;
  const kept = ({ path }) => join(folder, `${encodeURIComponent(path)}-${digest(digests.get(path), noter)}`);
  const unknown = files.filter((file) => !existsSync(kept(file)));
  const faults = faultsByPath(makeFaults(unknown));
  for (const file of unknown) {
    const own = faults.get(file.path);
    const noted = (asked) => withNotes(readFileSync(join(root, file.source), "utf8"), own, asked);
    const text = file.library ? own && compiled(noted(noter)) : own && noted("globalThis.lutnnReachOf");
    writeFileSync(kept(file), text ?? "");
  }
  return new Map(files.map((file) => [file, readFileSync(kept(file), "utf8")]).filter(([, text]) => text));
}

/** How many faults a test file comes to by itself: those that come to few say most about each. */
const widths = new WeakMap();
function widthOf(record) {
  if (!widths.has(record)) {
    const all = [record.lasting, ...record.tests.map(({ covered }) => covered)];
    const faults = new Set(
      all.flatMap((covered) =>
        Object.entries(covered).flatMap(([path, some]) => some.map((one) => `${path} ${one}`)),
      ),
    );
    widths.set(record, faults.size);
  }
  return widths.get(record);
}

/** Whether a test file comes to a fault elsewhere than in its tests: as files are loaded, in threads, in what outlives a test. */
export const comesOutside = ({ path, number }, { outside, lasting }) =>
  [outside, lasting].some((covered) => covered[path]?.includes(number));

/**
 * The tests that come to a fault, in the order in which they are tried: quick ones first, of the file named like the source
 * before others, then of files that come to few faults at all.
 * @param fault as `faultsOf` gives it
 */
export function testsThatReach({ path, number, isExported, isInFunction, canSwitch }, reach) {
  // Where it cannot be noted down: as soon as the file is used.
  const comesTo = (covered) => (canSwitch ? covered[path]?.includes(number) : covered[path]?.length > 0);
  // What runs as a file is loaded matters to those who run more of that file, or see what it exports; what is called then
  // has given something that any test may use.
  const mayMatter = ({ covered }) => isExported || isInFunction || covered[path] !== undefined;
  const likeness = (file) => {
    const [source, test] = [basename(path, ".ts"), basename(file, ".test.ts")];
    return source === test ? 0 : basename(dirname(path)) === test ? 1 : 2;
  };
  const parts = [...reach].flatMap(([file, record]) => {
    const { outside, lasting, tests } = record;
    const found = comesTo(lasting)
      ? tests
      : comesTo(outside)
        ? tests.filter(mayMatter)
        : tests.filter(({ covered }) => comesTo(covered));
    // What outlives a test is used by those behind it, which need the ones before: the file's tests stay together.
    const isWhole = comesTo(lasting);
    const quick = found.filter(({ milliseconds }) => !isWhole && milliseconds <= quickMilliseconds);
    const slow = found.filter((test) => !quick.includes(test));
    return [quick, slow]
      .filter((part) => part.length > 0)
      .map((part) => ({
        file,
        names: part.map(({ name }) => name),
        isQuick: part === quick,
        width: widthOf(record),
        milliseconds: part.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
      }));
  });
  const rank = ({ file, isQuick, width, milliseconds }) => [
    isQuick ? 0 : 1,
    likeness(file),
    width,
    milliseconds,
  ];
  return parts.sort((a, b) => {
    const [one, other] = [rank(a), rank(b)];
    const at = one.findIndex((value, i) => value !== other[i]);
    return at < 0 ? 0 : one[at] - other[at];
  });
}

/** Whether tests run anything of a file, beyond loading it. */
export const isRunBy = ({ path }, reach) =>
  [...reach.values()].some(
    ({ lasting, tests }) =>
      lasting[path] !== undefined || tests.some(({ covered }) => covered[path] !== undefined),
  );
