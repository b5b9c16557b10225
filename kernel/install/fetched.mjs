// What notebooks 08 and 09 read, fetched once for the tests: node kernel/install/fetched.mjs [folder]. Magika's network, the
// sentence encoder all-MiniLM-L6-v2 and the movie snippets, from the index that pip is set up for, sizes and checksums
// verified. Needs the library, which is built before.
import { createRequire } from "node:module";
import { at } from "./workspace.mjs";

/** Stands in for the user's cache, so that the set-up writes nothing outside the checkout. */
process.env.XDG_CACHE_HOME = process.argv[2] ?? at(".cache");
const library = createRequire(import.meta.url);
const { locatePypi } = library(at("kernel/lib/datasets/pypiSource.js"));
const { miniLmSource } = library(at("kernel/lib/models/bert/miniLm.js"));
const { magikaSource } = library(at("kernel/lib/models/magika.js"));
const { movieSnippetsSource } = library(at("kernel/lib/datasets/movieSnippets.js"));

const { signal } = new AbortController();
try {
  for (const source of [magikaSource, miniLmSource, movieSnippetsSource])
    await locatePypi(source, { dataFolder: "", download: true, signal });
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
