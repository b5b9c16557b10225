// node victim.mjs DOES JSON: does one thing over and over, for the test that kills it; with { once: true } it ends by itself.
// It says "ready" when it begins.
import { existsSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const library = (path) => require(join(import.meta.dirname, "../../../kernel/lib", path));
const [does, settings] = [process.argv[2], JSON.parse(process.argv[3])];
const { signal } = new AbortController();

/** The two stored conversions in turn. */
async function conversions() {
  const { openConversion } = require("lutnn");
  return Promise.all(settings.stored.map((folder) => openConversion(folder)));
}

/** What is done in turn `i`, made ready. */
const actions = {
  store: async () => {
    const both = await conversions();
    return (i) => both[i % 2].store(settings.folder);
  },
  save: async () => {
    const both = await conversions();
    return (i) => both[i % 2].save(join(settings.folder, "network.onnx"), { check: false });
  },
  download: () => {
    const { downloadFile } = library("files/download.js");
    const path = join(settings.folder, "file.bin");
    return (i) => {
      if (i > 0) rmSync(path, { force: true });
      return downloadFile(settings.file, path, { signal });
    };
  },
  unpack: () => {
    const { unpackArchives } = library("files/unpack/unpack.js");
    const folder = (i) => join(settings.folder, `set-${i}`);
    let first = 0;
    while (existsSync(folder(first))) first++;
    return (i) =>
      unpackArchives(settings.archives, folder(first + i), { bytes: 1 << 24, entries: 200 }, signal);
  },
};

const act = await actions[does]();
console.log("ready");
for (let i = 0; i === 0 || !settings.once; i++) await act(i);
