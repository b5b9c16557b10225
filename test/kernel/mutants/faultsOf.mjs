import { readFileSync } from "node:fs";
import { join } from "node:path";
import { compiled, findMutants } from "./mutate.mjs";

/**
 * Every fault of some files.
 * @param files as `filesOfRooms` gives them
 * @returns of each fault its file's fields, what `findMutants` says, and its `number` in the file
 */
export function faultsOf(root, files) {
  return files.flatMap((file) => {
    const code = readFileSync(join(root, file.source), "utf8");
    if (file.library && readFileSync(join(root, file.library), "utf8") !== compiled(code)) {
      console.error(
        `check:mutants: ${file.library} must be what ${file.source} makes (it is not); npm run setup`,
      );
      process.exit(1);
    }
    return findMutants(file.path, code).map((mutant, number) => ({
      ...mutant,
      ...file,
      number,
      isExported: mutant.id.includes(": export const "),
    }));
  });
}
