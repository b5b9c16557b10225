// Which tests run into which faults: asked of V8 once for every test file, and kept in out/mutants as long as neither the
// library nor the test file changes.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

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

/** In which the tests run, while they are measured and afterwards alike: fewer random networks than else. */
export const testEnvironment = { ...process.env, LUTNN_NETWORKS: "100" };

/** A test longer than this is tried after the quick ones of all files. */
const quickMilliseconds = 1500;

/**
 * Measures what the tests run into, where that is not known yet.
 * @param places by path below kernel/lib, where its faults are
 * @returns by test file: what runs outside of its tests, and each test with its milliseconds and what it runs into
 */
export function measureReach(root, testFiles, places) {
  const folder = join(root, "out/mutants");
  mkdirSync(folder, { recursive: true });
  const library = digest(
    ...Object.keys(places).map((path) => readFileSync(join(root, "kernel/lib", path), "utf8")),
  );
  const kept = (file) =>
    join(
      folder,
      `reach-${basename(file, ".test.ts")}-${digest(file, readFileSync(join(root, file), "utf8"), library)}.json`,
    );
  const unknown = testFiles.filter((file) => !existsSync(kept(file)));
  if (unknown.length > 0) {
    const [of, to] = [join(folder, "places.json"), join(folder, "reach")];
    writeFileSync(of, JSON.stringify(places));
    rmSync(to, { recursive: true, force: true });
    mkdirSync(to);
    console.log(`check:mutants: what ${unknown.length} test files run into is measured`);
    const { status } = spawnSync(
      process.execPath,
      [
        join(root, "node_modules/vitest/vitest.mjs"),
        ...["run", "--config", "test/kernel/mutants/vitest.config.mjs", "--silent=true"],
        ...unknown,
      ],
      {
        cwd: root,
        stdio: ["ignore", "inherit", "inherit"],
        env: { ...testEnvironment, LUTNN_COVERAGE_OF: of, LUTNN_COVERAGE_TO: to },
      },
    );
    for (const file of unknown) {
      const written = join(to, `${encodeURIComponent(join(root, file))}.json`);
      if (existsSync(written)) renameSync(written, kept(file));
      else if (status === 0) writeFileSync(kept(file), JSON.stringify({ outside: {}, tests: [] })); // all of its tests are skipped here
    }
    if (status !== 0) {
      console.error("check:mutants: the tests must pass before faults are planted; run them");
      process.exit(1);
    }
  }
  return new Map(testFiles.map((file) => [file, JSON.parse(readFileSync(kept(file), "utf8"))]));
}

/**
 * The tests that run into a fault, in the order in which they are tried: quick ones first, of the file named like the
 * source before others.
 * @param fault its file below kernel/lib, its number among the faults there, and whether it is a constant that other files see
 */
export function testsThatReach({ library: path, number, isExported }, reach) {
  const runsInto = (covered) => covered[path]?.includes(number) ?? false;
  // What runs as a file is loaded matters to those who run more of that file, or see what it exports.
  const mayMatter = ({ covered }) => isExported || covered[path] !== undefined;
  const likeness = (file) => {
    const [source, test] = [basename(path, ".js"), basename(file, ".test.ts")];
    return source === test ? 0 : basename(dirname(path)) === test ? 1 : 2;
  };
  const parts = [...reach].flatMap(([file, { outside, tests }]) => {
    const found = runsInto(outside)
      ? tests.filter(mayMatter)
      : tests.filter(({ covered }) => runsInto(covered));
    const quick = found.filter(({ milliseconds }) => milliseconds <= quickMilliseconds);
    const slow = found.filter(({ milliseconds }) => milliseconds > quickMilliseconds);
    return [quick, slow]
      .filter((part) => part.length > 0)
      .map((part) => ({
        file,
        names: part.map(({ name }) => name),
        isQuick: part === quick,
        milliseconds: part.reduce((sum, { milliseconds }) => sum + milliseconds, 0),
      }));
  });
  const rank = ({ file, isQuick, milliseconds }) => [isQuick ? 0 : 1, likeness(file), milliseconds];
  return parts.sort((a, b) => {
    const [one, other] = [rank(a), rank(b)];
    const at = one.findIndex((value, i) => value !== other[i]);
    return at < 0 ? 0 : one[at] - other[at];
  });
}
