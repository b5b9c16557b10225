// A plugin of Vite: tests that load TypeScript sources get the texts that LUTNN_SOURCES names instead, and of the library
// what is built of it, so that each fault lies in one place.
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "../../..");

export default function ownSources() {
  const { LUTNN_SOURCES } = process.env;
  const texts =
    LUTNN_SOURCES && existsSync(LUTNN_SOURCES) ? JSON.parse(readFileSync(LUTNN_SOURCES, "utf8")) : {};
  return {
    name: "own-sources",
    enforce: "pre",
    resolveId(id, importer) {
      if (!id.startsWith(".") || !importer) return null;
      const [, path] = resolve(dirname(importer), id).split(join(root, "kernel/src/"));
      return path ? join(root, "kernel/lib", `${path.replace(/\.ts$/, "")}.js`) : null;
    },
    load(id) {
      return texts[id] ?? null;
    },
  };
}
