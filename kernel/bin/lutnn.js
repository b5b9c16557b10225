#!/usr/bin/env node
const { existsSync, statSync } = require("node:fs");
const { join } = require("node:path");

const [, , command, ...words] = process.argv;
const asksForHelp = words.some((word) => ["-h", "--help", "-V", "--version"].includes(word));
const isConnectionFile = command === "kernel" && /[\\/.]/.test(words[0] ?? "");

// The benchmark needs nothing but the lookup addon, so it starts where the rest is not built or cannot be.
if (command === "bench" && !asksForHelp) require("./bench.js").run(words);
const cli = join(__dirname, "../lib/cli.js");
if (!existsSync(cli)) {
  console.error("lutnn is not built yet. In the checkout, run: npm run setup");
  process.exit(1);
}
if (isConnectionFile && !asksForHelp && !statSync(words[0], { throwIfNoEntry: false })?.isFile()) {
  console.error(
    `lutnn kernel: the connection file must exist (got ${words[0]}); Jupyter writes it and names it`,
  );
  process.exit(2);
}
// TensorFlow's start-up remarks about this processor help nobody here; its warnings stay.
process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
// The notebook kernel has an entry of its own: it must be ready before the command line's modules would be loaded.
require(isConnectionFile && !asksForHelp ? "../lib/jupyter/main.js" : cli);
