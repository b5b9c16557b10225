import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { compiled, findMutants } from "./mutate.mjs";
import { digest, filesUnder } from "./reach.mjs";

/** Where two texts first differ; -1 for the same text. */
function firstDifference(a, b) {
  if (a === b) return -1;
  let at = 0;
  while (a[at] === b[at]) at++;
  return at;
}

/**
 * Every fault of some rooms with where it is in the compiled library, by room. Faults that change types alone are none.
 * Finding the places takes a minute, so they are kept in out/mutants until the source changes.
 * @returns `{ path, id, line, room, library, number, at, isExported }`: `library` is the file below kernel/lib, `number` its
 * number there, and `isExported` says whether it is in a constant that other files see
 */
export function faultsOf(root, rooms) {
  const source = join(root, "kernel/src");
  const all = new Map();
  for (const room of rooms) {
    const faults = [];
    for (const file of filesUnder(join(source, room), ".ts").filter((one) => !one.endsWith("_pb.ts"))) {
      const [path, code] = [relative(source, file), readFileSync(file, "utf8")];
      const library = path.replace(/\.ts$/, ".js");
      const right = compiled(code);
      if (readFileSync(join(root, "kernel/lib", library), "utf8") !== right) {
        console.error(
          `check:mutants: kernel/lib/${library} must be what kernel/src makes (it is not); npm run setup`,
        );
        process.exit(1);
      }
      const mutants = findMutants(path, code);
      const kept = join(root, "out/mutants", `places-${digest(path, code)}.json`);
      if (!existsSync(kept))
        writeFileSync(
          kept,
          JSON.stringify(mutants.map((mutant) => firstDifference(right, compiled(mutant.code)))),
        );
      const places = JSON.parse(readFileSync(kept, "utf8"));
      const found = mutants
        .map((mutant, i) => ({ ...mutant, room, library, at: places[i] }))
        .filter(({ at }) => at >= 0);
      faults.push(
        ...found.map((mutant, number) => ({
          ...mutant,
          number,
          isExported: mutant.id.includes(": export const "),
        })),
      );
    }
    all.set(room, faults);
  }
  return all;
}
