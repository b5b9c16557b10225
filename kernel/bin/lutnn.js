#!/usr/bin/env node
const { existsSync } = require("node:fs");
const { dirname, join } = require("node:path");

// The benchmark needs nothing but the lookup addon, so it starts where the rest is not built or cannot be.
if (process.argv[2] === "bench") {
  const { status, signal } = require("node:child_process").spawnSync(
    process.execPath,
    [join(dirname(require.resolve("lutnn-native")), "bench/bench.mjs"), ...process.argv.slice(3)],
    { stdio: "inherit" },
  );
  process.exit(status ?? (signal ? 130 : 1));
}
const cli = join(__dirname, "../lib/cli.js");
if (!existsSync(cli)) {
  console.error("lutnn is not built yet. In the checkout, run: npm run setup");
  process.exit(1);
}
// TensorFlow's start-up remarks about this processor help nobody here; its warnings stay.
process.env.TF_CPP_MIN_LOG_LEVEL ??= "1";
// The notebook kernel has an entry of its own: it must be ready before the command line's modules would be loaded.
const [, , command, argument] = process.argv;
const isConnectionFile = argument !== undefined && /[\\/.]/.test(argument);
require(command === "kernel" && isConnectionFile ? "../lib/jupyter/main.js" : cli);
