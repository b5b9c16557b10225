// The rooms of the library and of the extension, as their folders say.
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { filesUnder } from "./reach.mjs";

/**
 * Every file in which faults are planted, by room: a folder of kernel/src each, `root` for what lies beside them, and
 * `extension`. What a generator wrote (`_pb.ts`) is left out.
 * @returns `{ room, path, source, library }`: `path` names the file in results, `source` is its text below the checkout, and
 * `library` what of it is run: a file below kernel/lib, null where tests load the source itself
 */
export function filesOfRooms(root) {
  const all = new Map();
  const add = (room, file) => {
    if (file.source.endsWith("_pb.ts")) return;
    if (!all.has(room)) all.set(room, []);
    all.get(room).push({ room, ...file });
  };
  const kernel = join(root, "kernel/src");
  for (const file of filesUnder(kernel, ".ts").sort()) {
    const path = relative(kernel, file);
    const [folder, ...rest] = path.split("/");
    const library = join("kernel/lib", path.replace(/\.ts$/, ".js"));
    add(rest.length > 0 ? folder : "root", { path, source: relative(root, file), library });
  }
  const extension = join(root, "extension/src");
  for (const file of filesUnder(extension, ".ts").sort())
    add("extension", {
      path: join("extension", relative(extension, file)),
      source: relative(root, file),
      library: null,
    });
  return all;
}

/** Every test that runs in Node: what needs a browser is left out. */
export function testFiles(root) {
  const folders = readdirSync(join(root, "test"), { withFileTypes: true })
    .filter(
      (entry) => entry.isDirectory() && ["kernel", "protocol", "notebooks", "extension"].includes(entry.name),
    )
    .map(({ name }) => join(root, "test", name));
  return folders
    .flatMap((folder) => filesUnder(folder, ".test.ts"))
    .filter((file) => !file.endsWith("browser.test.ts"))
    .map((file) => relative(root, file))
    .sort();
}
