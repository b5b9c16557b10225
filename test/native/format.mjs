// C++ as .clang-format lays it out: node test/native/format.mjs formats it, checkFormat() says where it is not.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { venvBin } from "../../kernel/install/workspace.mjs";
import { run } from "./builds.mjs";

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesUnder(path);
    return /\.(cc|h)$/.test(entry.name) ? [path] : [];
  });
}

const root = join(import.meta.dirname, "../..");
const files = () =>
  ["native/src", "native/bench", "test/native"].flatMap((folder) => filesUnder(join(root, folder)));

/** Throws where a file is laid out differently, after its lines were printed. */
export const checkFormat = () => run(venvBin("clang-format"), ["--dry-run", "-Werror", ...files()]);

if (import.meta.url === pathToFileURL(process.argv[1]).href) run(venvBin("clang-format"), ["-i", ...files()]);
